import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.resources.codes import CODES
from pointsman.resources.decode import Decoded, decode
from pointsman.resources.documents import split
from pointsman.resources.key import Key
from pointsman.resources.kinds.registry import APP_MESH, POINTSMAN, SPECS
from pointsman.resources.kinds.virtual_node import VirtualNodeSpec
from pointsman.resources.kinds.virtual_router import VirtualRouterSpec
from pointsman.resources.kinds.virtual_service import VirtualServiceSpec
from pointsman.resources.position import position
from pointsman.resources.problem import Severity, has_errors
from pointsman.resources.report import problem_json
from pointsman.resources.rules import RULES
from tests.resources.manifests import MANIFESTS
from tests.support.problems import problem_line

BESIDE = (above / "shared" / "corpus" / "appmesh" for above in Path(__file__).parents)
CORPUS = next((folder for folder in BESIDE if folder.is_dir()), None)


def decode_all(text: str) -> list[Decoded]:
    return [decode(d.text, source="in.yaml", line=d.line) for d in split(text)]


def show(decoded: Decoded) -> None:
    """Locates and prints every problem, as a command would."""
    for problem in decoded.problems:
        assert problem.message
        assert problem.origin is not None
        line, column = problem.at or position(problem.origin, problem.path)
        assert line >= problem.origin.line
        assert column >= 1
        assert problem_line(problem)
        assert problem_json(problem)["code"] in CODES


def test_every_kind_has_rules() -> None:
    assert RULES.keys() == SPECS.keys()


def test_good_manifests_have_no_problems() -> None:
    decoded = decode_all(MANIFESTS)
    assert [problem for d in decoded for problem in d.problems] == []
    shown = {r.key.kind for d in decoded for r in d.resources}
    assert shown == set(SPECS) - {"Canary"}, "a Canary has notes: tests/golden/rollouts"
    assert decoded[0].namespaces == {"shop": {"mesh": "shop", "gateway": "front"}}


def test_old_virtual_node_in_the_new_shape() -> None:
    decoded = decode_all(MANIFESTS)[-2]
    (node,) = decoded.resources
    spec = node.spec
    assert isinstance(spec, VirtualNodeSpec)
    assert (spec.aws_name, spec.mesh_name) == ("old-shop", "shop")
    check = spec.listeners[0].health_check
    assert check is not None
    assert (check.healthy_threshold, check.unhealthy_threshold) == (10, 2)
    assert (check.interval_millis, check.timeout_millis, check.protocol) == (6000, 5000, "grpc")
    assert spec.service_discovery is not None
    cloud = spec.service_discovery.aws_cloud_map
    assert cloud is not None
    assert [(a.key, a.value) for a in cloud.attributes] == [("version", "v1")]
    service = spec.backends[0].virtual_service
    assert service.virtual_service_ref is not None
    assert service.virtual_service_ref.name == "cart.shop.svc.cluster.local"
    assert service.client_policy is not None
    assert service.client_policy.tls is not None
    trust = service.client_policy.tls.validation.trust
    assert trust.acm is not None
    assert trust.acm.certificate_authority_arns == ("arn:y",)


def test_old_virtual_service_becomes_service_and_router() -> None:
    service, router = decode_all(MANIFESTS)[-1].resources
    name = "old.shop.svc.cluster.local"
    assert isinstance(service.spec, VirtualServiceSpec)
    assert isinstance(router.spec, VirtualRouterSpec)
    assert service.key == Key("VirtualService", "shop", name)
    assert service.spec.aws_name == name
    assert router.key == Key("VirtualRouter", "shop", "old-shop-svc-cluster-local")
    assert router.spec.aws_name == "old-shop-svc-cluster-local-shop"
    assert router.spec.listeners == ()
    route = router.spec.routes[0].grpc_route
    assert route is not None
    assert route.retry_policy is not None
    assert route.retry_policy.per_retry_timeout.ms == 1500
    references = [t.virtual_node_ref for t in route.action.weighted_targets]
    assert [(r.name, r.namespace) for r in references if r] == [("old", None), ("new", "other")]
    assert service.spec.provider is not None
    assert service.spec.provider.virtual_router is not None
    assert service.spec.provider.virtual_router.virtual_router_ref is not None
    assert service.spec.provider.virtual_router.virtual_router_ref.name == router.key.name


def test_snake_case_is_no_spelling_of_a_field() -> None:
    (decoded,) = decode_all(
        "{apiVersion: appmesh.k8s.aws/v1beta2, kind: Mesh, metadata: {name: a},"
        " spec: {aws_name: b}}"
    )
    assert [problem.code.id for problem in decoded.problems] == ["PM206"]
    assert decoded.resources[0].spec.aws_name is None


def test_problems_of_a_document_that_moved() -> None:
    text = "apiVersion: v1\nkind: Service\n---\na: [\n"
    for document in split(text):
        here = decode(document.text, line=document.line)
        there = decode(document.text, line=document.line + 7)
        assert here.moved(7) == there


@pytest.mark.corpus
@pytest.mark.skipif(CORPUS is None, reason="the walkthrough manifests are not at hand")
def test_walkthroughs_decode_without_errors() -> None:
    assert CORPUS is not None
    kinds: set[str] = set()
    for file in sorted(CORPUS.rglob("*.template")):
        for document in split(file.read_text(encoding="utf-8")):
            names = dict.fromkeys(("APP_NAMESPACE", "MESH_NAME", "CLOUDMAP_NAMESPACE"), "shop")
            decoded = decode(document.text, source=file.name, variables=names)
            assert not has_errors(decoded.problems), [p.message for p in decoded.problems]
            kinds |= {resource.key.kind for resource in decoded.resources}
    assert kinds == set(APP_MESH.specs) - {"BackendGroup"}


ODD: list[Any] = [
    None, True, 0, -1, 3.5, 10**30, "", " ", "x" * 300, "a\nb", "a\0b", "/", "*", "é", "\x85",
    "(", "${X}", "1", "yes", [], {}, [[]], [None], {"": None}, {"a": {"b": []}}, "http",
]  # fmt: skip


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    steps: Any = tree.items() if isinstance(tree, dict) else ()
    for step, value in enumerate(tree) if isinstance(tree, list) else steps:
        found += places(value, (*path, step))
    return found


def mutate(tree: Any, rng: random.Random) -> Any:
    """A tree with one value replaced, dropped, renamed, wrapped or copied from elsewhere."""
    path = rng.choice(places(tree))
    parent = tree
    for step in path[:-1]:
        parent = parent[step]
    last = path[-1]
    match rng.randrange(6):
        case 0:
            del parent[last]
        case 1 if isinstance(last, str):
            parent[rng.choice([last.upper(), last[:-1], last + "s", "x"])] = parent.pop(last)
        case 2:
            parent[last] = [parent[last]]
        case 3:
            parent[last] = {"virtualService": parent[last]}
        case _:
            parent[last] = rng.choice(ODD)
    return tree


def test_mutated_values_never_raise() -> None:
    rng = random.Random(20)
    texts = [document.text for document in split(MANIFESTS)]
    severities: set[Severity] = set()
    for _ in range(1000):
        tree = mutate(yaml.load(rng.choice(texts), yaml.CSafeLoader), rng)
        if rng.random() < 0.3 and places(tree):
            tree = mutate(tree, rng)
        decoded = decode(yaml.dump(tree, Dumper=yaml.CSafeDumper, allow_unicode=True))
        show(decoded)
        severities |= {problem.code.severity for problem in decoded.problems}
    assert severities == set(Severity)


def test_mutated_texts_never_raise() -> None:
    rng = random.Random(21)
    texts = [document.text for document in split(MANIFESTS)]
    for _ in range(1000):
        text = rng.choice(texts)
        for _ in range(rng.randrange(1, 4)):
            start = rng.randrange(len(text) + 1)
            piece = rng.choice(["", "\n", " ", "\t", "&a ", "*a", "<<: ", "[", "}", ":", "!!x ",
                                "'", '"', "\udce9", "\ufeff", "---\n", "...\n", "? ", "|\n", "\r",
                                "${A}", text[start : start + 30]])  # fmt: skip
            text = text[:start] + piece + text[start + rng.randrange(12) :]
        for decoded in decode_all(text):
            show(decoded)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(SPECS)),
    st.sampled_from([APP_MESH.name, POINTSMAN.name]),
    st.sampled_from(["v1alpha1", "v1beta1", "v1beta2", "v1"]),
    values,
    values,
)
def test_any_value_is_decoded_or_reported(
    kind: str, group: str, version: str, metadata: Any, spec: Any
) -> None:
    tree = {
        "apiVersion": f"{group}/{version}",
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }
    show(decode(yaml.dump(tree, Dumper=yaml.CSafeDumper, allow_unicode=True)))


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_is_decoded_or_reported(text: str) -> None:
    for decoded in decode_all(text):
        show(decoded)
