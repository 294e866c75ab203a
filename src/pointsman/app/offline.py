"""Manifests read, linked, translated and shown to Envoy, without anything running.

`check`, `explain` and `render` share this, so that they always speak of the same graph.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from pointsman.envoy.bundle import Bundle
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.sealed import Sealed
from pointsman.envoy.static import static_bootstrap, without_files
from pointsman.envoy.translate import translate
from pointsman.errors import UsageError
from pointsman.graph.link import LinkResult, link
from pointsman.graph.links.certificates import CertificateMap
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.sidecar import Sidecar
from pointsman.proxy.binary import EnvoyBinary
from pointsman.proxy.validate import validate
from pointsman.resources.codes import envoy as codes
from pointsman.resources.problem import Problem
from pointsman.resources.store import Store
from pointsman.sources import files

_NUMBERED: Final = re.compile(r"StaticResources\.(Listeners|Clusters)\[(\d+)\]")
_ENVOYS = os.cpu_count() or 1
"""Envoys that validate at the same time."""


@dataclass(frozen=True, slots=True)
class Offline:
    """Manifests and what they mean.

    Attributes:
        store: what was written.
        linked: what it means.
        problems: everything found by reading and linking, located, in the order of files and lines.
    """

    store: Store
    linked: LinkResult
    problems: tuple[Problem, ...]

    @property
    def sidecars(self) -> tuple[Sidecar, ...]:
        """The proxies of virtual nodes."""
        return tuple(self.linked.graph.sidecars.values())

    @property
    def gateways(self) -> tuple[Gateway, ...]:
        """The virtual gateways that can be served."""
        return tuple(self.linked.graph.gateways.values())


def load(
    paths: Sequence[str],
    variables: Mapping[str, str],
    resolves: Mapping[tuple[str, int], tuple[str, int]],
    certificates: CertificateMap | None = None,
) -> Offline:
    """Reads and links manifests.

    Args:
        paths: files, folders, or `-` for standard input.
        variables: values of `${NAME}`.
        resolves: (host, port) of a virtual node -> (host, port) where it really is.
        certificates: what stands for certificates of AWS.

    Raises:
        SourceError: a path cannot be read.
    """
    store = Store(variables)
    for source, text in files.read(paths).items():
        store.replace(source, text)
    given = {name: Address(*address) for name, address in resolves.items()}
    linked = link(store.resources(), GivenEndpoints(by_name=given), certificates=certificates)
    problems = (*store.problems(), *linked.problems)
    return Offline(store, linked, locate(store, problems))


def locate(store: Store, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems with their places, in the order of files and lines."""
    return tuple(sorted(map(store.locate, problems), key=_order))


def _order(problem: Problem) -> tuple[str, tuple[int, int], str, str]:
    source = problem.origin.source if problem.origin is not None else ""
    return source, problem.at or (0, 0), problem.code.id, problem.message


def find_gateway(gateways: Sequence[Gateway], name: str | None, option: str) -> Gateway:
    """The gateway of a name, or the only one.

    Args:
        gateways: those there are.
        name: `namespace/name`, a bare name, its name inside App Mesh or its node id; None when
            the user named none.
        option: the option that names one, for the error's hint.

    Raises:
        UsageError: there is none, none of that name, or it cannot be told which.
    """
    if not gateways:
        raise UsageError(
            "there is no virtual gateway in these manifests that could be served",
            hint="run pointsman check on them",
        )
    known = ", ".join(
        gateway.node_id if option == "--node" else gateway.key.path for gateway in gateways
    )
    found = [gateway for gateway in gateways if name is None or name in _names(gateway)]
    if not found:
        raise UsageError(f"there is no virtual gateway {name}", hint=f"those given: {known}")
    if len(found) > 1:
        raise UsageError(
            f"which of {len(found)} virtual gateways?", hint=f"name one with {option}: {known}"
        )
    return found[0]


def find_sidecar(sidecars: Sequence[Sidecar], name: str) -> Sidecar:
    """The sidecar of a virtual node, by the same names as a gateway's.

    Raises:
        UsageError: there is none of that name, or several.
    """
    found = [sidecar for sidecar in sidecars if name in _names(sidecar)]
    known = ", ".join(sidecar.key.path for sidecar in sidecars) or "none"
    if len(found) != 1:
        what = "no virtual node" if not found else f"{len(found)} virtual nodes called"
        raise UsageError(f"there is {what} {name}", hint=f"those given: {known}")
    return found[0]


def _names(gateway: Gateway | Sidecar) -> tuple[str, ...]:
    return gateway.node_id, gateway.key.path, gateway.key.name, gateway.name


def find_proxy(offline: Offline, name: str | None) -> Gateway | Sidecar:
    """The gateway or sidecar of a name, or the only gateway.

    Raises:
        UsageError: there is none of that name, or it cannot be told which.
    """
    if name is None or any(name in _names(item) for item in offline.gateways):
        return find_gateway(offline.gateways, name, "--node")
    if any(name in _names(item) for item in offline.sidecars):
        return find_sidecar(offline.sidecars, name)
    known = ", ".join(item.node_id for item in offline.linked.graph.proxies.values()) or "none"
    raise UsageError(f"there is no virtual gateway or node {name}", hint=f"those given: {known}")


def render(offline: Offline, proxy: Gateway | Sidecar) -> Bundle:
    """A proxy's translation for `envoy -c`."""
    return translate(offline.linked.graph, NodeClass(proxy.key, "static"))


def ask_envoy(offline: Offline, binary: EnvoyBinary) -> tuple[Problem, ...]:
    """What Envoy refuses of any gateway or sidecar, as located problems.

    Raises:
        EnvoyError: Envoy cannot be run, so nothing is known.
    """
    with ThreadPoolExecutor(_ENVOYS) as threads:
        asked = threads.map(
            lambda proxy: _refused(offline, proxy, binary), offline.linked.graph.proxies.values()
        )
        found = [problem for problems in asked for problem in problems]
    return locate(offline.store, dict.fromkeys(found))


def _refused(offline: Offline, proxy: Gateway | Sidecar, binary: EnvoyBinary) -> list[Problem]:
    resources = render(offline, proxy)
    bootstrap = without_files(static_bootstrap(proxy, resources))
    complaints = validate(binary, json.dumps(bootstrap))
    return [_refusal(proxy, resources, _placed(bootstrap, item)) for item in complaints]


def _placed(bootstrap: Mapping[str, Any], complaint: str) -> str:
    """The complaint with the name of the listener or cluster that it only has the number of."""
    place = _NUMBERED.search(complaint)
    if place is None:
        return complaint
    kind = place[1].lower()
    return f"{kind[:-1]} {bootstrap['static_resources'][kind][int(place[2])]['name']}: {complaint}"


def _refusal(proxy: Gateway | Sidecar, resources: Bundle, complaint: str) -> Problem:
    """A complaint as a problem of the object whose resource it names, else of the proxy's own."""
    named = [
        item
        for items in resources.resources.values()
        for item in items.values()
        if item.keys and item.name in complaint
    ]
    key = max(named, key=_name_length).keys[0] if named else proxy.key
    return Problem(codes.REFUSED, complaint, "pointsman render shows what Envoy was given", key)


def _name_length(item: Sealed) -> int:
    return len(item.name)
