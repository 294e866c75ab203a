"""Golden cases: what a folder of manifests comes to, as texts that people can judge.

A case is a folder `tests/golden/TOPIC/CASE` with `in.yaml` and at least one output. Only the
outputs that are there are compared, so each case shows what it is about and nothing else; an
empty file and `pytest --refresh` make a new one. Beside `in.yaml` there may be

    ../base.yaml   objects that all cases of the topic share
    before.yaml    what stood in in.yaml before, linked first
    settings.yaml  `variables: {NAME: VALUE}`, `resolve: {HOST:PORT: ADDRESS:PORT}`,
                   `certificates: FILE` beside it, and `demo: {NAMESPACE/NODE:PORT: ADDRESS:PORT}`
                   for demo backends
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pointsman.app.asked import choose_listener
from pointsman.app.certificates import read_certificates
from pointsman.app.offline import find_gateway, locate
from pointsman.cli.request import parse_request
from pointsman.control.endpoints import Endpoints
from pointsman.envoy import pb
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.seal import unseal
from pointsman.envoy.translate import translate
from pointsman.graph.intent import decide
from pointsman.graph.link import LinkResult, link
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address
from pointsman.resources.key import Key
from pointsman.resources.store import Store
from tests.support.graph_view import graph_view
from tests.support.intent_line import intent_line
from tests.support.problems import problem_line

ROOT = Path(__file__).parents[1] / "golden"
OTHER_RUNNERS = frozenset({"decode", "explain", "__pycache__"})
"""Topics whose outputs are of another kind: tests/resources and tests/cli compare them."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A case, read and linked."""

    store: Store
    result: LinkResult


def cases() -> list[Path]:
    """Folders of all cases, sorted."""
    return sorted(
        file.parent
        for file in ROOT.glob("*/*/in.yaml")
        if file.parents[1].name not in OTHER_RUNNERS
    )


def case_name(case: Path) -> str:
    """`TOPIC/CASE`."""
    return f"{case.parent.name}/{case.name}"


@cache
def load(case: Path) -> Linked:
    """Reads and links a case; once, for nothing changes what comes out."""
    settings = _settings(case)
    resolve = settings.get("resolve", {}).items()
    demo = settings.get("demo", {}).items()
    given = GivenEndpoints(
        {_host_port(name): Address(*_host_port(to)) for name, to in resolve},
        {_node_port(name): Address(*_host_port(to)) for name, to in demo},
    )
    certificates = None
    if "certificates" in settings:
        certificates = read_certificates(str(case / settings["certificates"]))
    store = Store(settings.get("variables", {}))
    if (case.parent / "base.yaml").exists():
        store.replace("base.yaml", _read(case.parent / "base.yaml"))
    previous = None
    for name in ("before.yaml", "in.yaml"):
        if (case / name).exists():
            store.replace("in.yaml", _read(case / name))
            previous = link(store.resources(), given, previous, certificates)
    assert previous is not None
    return Linked(store, previous)


def _settings(case: Path) -> dict[str, Any]:
    file = case / "settings.yaml"
    return yaml.safe_load(_read(file)) if file.exists() else {}


def _host_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _node_port(text: str) -> tuple[Key, int]:
    path, port = _host_port(text)
    namespace, _, name = path.partition("/")
    return Key("VirtualNode", namespace, name), port


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _problems(linked: Linked, _expected: str) -> str:
    found = locate(linked.store, (*linked.store.problems(), *linked.result.problems))
    return "".join(f"{problem_line(problem)}\n" for problem in found)


def _graph(linked: Linked, _expected: str) -> str:
    return _yaml(graph_view(linked.result.graph))


def _envoy(linked: Linked, expected: str) -> str:
    """The resources `expected` names as its keys, in the form of the delta wire.

    Those of a sidecar have ` of NODE` behind their names.
    """
    made = dict(_resources(linked))
    wanted = yaml.safe_load(expected) or dict.fromkeys(made)
    return _yaml({name: made.get(name) for name in sorted(wanted)})


def _resources(linked: Linked) -> Iterator[tuple[str, Any]]:
    graph = linked.result.graph
    for key in graph.proxies:
        owner = "" if key in graph.gateways else f" of {key.name}"
        node_class = NodeClass(key)
        composed = Endpoints().compose({node_class: translate(graph, node_class)})[node_class]
        for items in composed.resources.values():
            for item in items.values():
                kind = item.type_url.rpartition(".")[2]
                # Protobuf gives ordered dictionaries for wrapped messages, and maps in any order.
                text = json.dumps(pb.to_dict(unseal(item)), sort_keys=True)
                yield f"{kind} {item.name}{owner}", _without_told(json.loads(text))


def _without_told(tree: Any) -> Any:
    """What every listener tells the control plane alike, as one word; it has a test of its own."""
    if isinstance(tree, list):
        return [_without_told(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.get("name") == "envoy.access_loggers.http_grpc":
        only = tree["filter"].get("response_flag_filter", {}).get("flags")
        return {"tells the control plane": ",".join(only) if only else "as usual"}
    return {name: _without_told(item) for name, item in tree.items()}


def _requests(linked: Linked, expected: str) -> str:
    """Each line's request with the decision behind the arrow, whatever stood there."""
    lines = (line.partition(" -> ")[0].rstrip() for line in expected.splitlines() if line.strip())
    return "".join(f"{line} -> {_decision(linked, line)}\n" for line in lines)


def _decision(linked: Linked, line: str) -> str:
    first, *headers = line.split("  ")
    method, url = first.split()
    asked = parse_request(method, url, headers)
    gateway = find_gateway(tuple(linked.result.graph.gateways.values()), None, "--node")
    listener = choose_listener(gateway, None, asked)
    request = asked.at(listener)
    return intent_line(decide(gateway, listener, request), request)


def _yaml(tree: Any) -> str:
    return yaml.safe_dump(tree, width=100, sort_keys=False, allow_unicode=True)


OUTPUTS: Mapping[str, Callable[[Linked, str], str]] = {
    "problems.txt": _problems,
    "graph.yaml": _graph,
    "envoy.yaml": _envoy,
    "requests.txt": _requests,
}
"""How each output is made, from the case and from what the file holds."""
