from collections.abc import Mapping
from typing import Any

from pointsman.graph.link import link
from pointsman.graph.links.attach import read_policies
from pointsman.graph.links.policies import Policies, Target
from pointsman.graph.memo import Memo
from pointsman.resources.key import Key
from tests.support.manifests import MESH, document, node, resources

CART = Key("VirtualNode", "shop", "cart")
LEVELS = (Target(CART, "8080"), Target(CART), Target(Key("Mesh", "", "mesh")))


def tls(name: str, mode: str, *refs: Mapping[str, Any]) -> Mapping[str, Any]:
    return document("MeshTLS", name, {"targetRefs": list(refs), "mode": mode})


ON_MESH = {"kind": "Mesh", "name": "mesh"}
ON_NODE = {"kind": "VirtualNode", "name": "cart"}
ON_LISTENER = {**ON_NODE, "sectionName": "8080"}


def read(*policies: Mapping[str, Any], memo: Memo | None = None) -> Policies:
    return read_policies(resources([MESH, node("cart", 8080, 9090), *policies]), memo or Memo())


def mode(policies: Policies, *targets: Target) -> str | None:
    found = policies.effective("MeshTLS", targets or LEVELS)
    return found.spec.mode if found else None


def test_the_most_specific_policy_counts() -> None:
    everywhere = tls("a", "STRICT", ON_MESH)
    on_node = tls("b", "PERMISSIVE", ON_NODE)
    on_listener = tls("c", "DISABLED", ON_LISTENER)
    assert mode(read()) is None
    assert mode(read(everywhere)) == "STRICT"
    assert mode(read(everywhere, on_node)) == "PERMISSIVE"
    assert mode(read(everywhere, on_node, on_listener)) == "DISABLED"
    policies = read(everywhere, on_listener)
    assert mode(policies, Target(CART, "9090"), *LEVELS[1:]) == "STRICT"


def test_origins_name_the_one_that_decides_and_those_it_replaces() -> None:
    policies = read(tls("a", "STRICT", ON_MESH), tls("b", "DISABLED", ON_MESH, ON_NODE))
    found = policies.effective("MeshTLS", LEVELS)
    assert found is not None
    assert [(each.policy.name, each.path, each.target) for each in found.origins] == [
        ("b", ("spec", "targetRefs", 1), LEVELS[1]),
        ("a", ("spec", "targetRefs", 0), LEVELS[2]),
    ]


def test_of_two_on_one_target_the_first_by_name_counts_in_any_order() -> None:
    first, second = tls("a", "STRICT", ON_NODE), tls("b", "DISABLED", ON_NODE, ON_LISTENER)
    for policies in (read(first, second), read(second, first)):
        assert mode(policies, Target(CART)) == "STRICT"
        assert mode(policies, Target(CART, "8080")) == "DISABLED"


def test_equal_policies_are_the_same_objects_in_the_next_run() -> None:
    policies = (tls("a", "STRICT", ON_MESH), tls("b", "DISABLED", ON_NODE))
    memo = Memo()
    before = read(*policies, memo=memo)
    after = read(policies[0], tls("b", "STRICT", ON_NODE), memo=Memo(memo))
    kept, changed = LEVELS[2], LEVELS[1]
    assert after.at("MeshTLS", kept) is before.at("MeshTLS", kept)
    assert after.at("MeshTLS", changed) != before.at("MeshTLS", changed)


def test_linking_reports_problems_of_policies_until_they_are_mended() -> None:
    mesh = [MESH, document("Namespace", "shop", {}), node("cart", 8080)]
    lost = link(resources([*mesh, tls("a", "STRICT", {**ON_NODE, "name": "gone"})]))
    assert [problem.code.id for problem in lost.problems] == ["PM307"]
    assert lost.problems[0].path == ("spec", "targetRefs", 0)
    assert lost.problems[0].hint == "in namespace shop there are: cart"
    mended = link(resources([*mesh, tls("a", "STRICT", ON_NODE)]), previous=lost)
    assert mended.problems == ()
