"""Every golden case's translation is accepted by a real Envoy over ADS, in both variants."""

import asyncio
import json
import socket
import tempfile
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pointsman.control.endpoints import Endpoints
from pointsman.envoy.node_class import NodeClass, Wire
from pointsman.envoy.sealed import CLUSTER, LISTENER, ROUTE
from pointsman.envoy.translate import translate
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.graph import Graph
from pointsman.identity import ca
from pointsman.identity.secrets import identity_secret, trust_secret, with_secrets
from pointsman.xds.rejection import Rejection
from pointsman.xds.server import AdsServer
from pointsman.xds.snapshot import Snapshot
from tests.support.envoy import RunningEnvoy, running_envoy
from tests.support.golden import case_name, cases, load
from tests.support.sds import local_sds
from tests.support.secret_files import secret_files, with_files
from tests.support.wait import eventually

CLASS = "golden"
EGRESS = "127.62.0.1"
"""Where sidecars listen for their applications; of no other test."""
Ports = tuple[tuple[int, int], ...]
SECONDS = 10.0
_PARTS = {
    "dynamic_active_clusters": (CLUSTER, "cluster"),
    "dynamic_warming_clusters": (CLUSTER, "cluster"),
    "dynamic_listeners": (LISTENER, ""),
    "dynamic_route_configs": (ROUTE, "route_config"),
}
"""Parts of Envoy's configuration dump: what they hold, and in which field."""


@pytest.mark.envoy
@pytest.mark.parametrize("wire", ["delta", "sotw"])
async def test_envoy_accepts_every_translation(wire: Wire) -> None:
    """One Envoy gets one case after the other, so that each is also a change of another."""
    graphs = {case_name(case): load(case).result.graph for case in cases()}
    ports = _free_ports(graphs.values())
    rejections: list[Rejection] = []

    def note(_node_class: Hashable, rejection: Rejection) -> None:
        rejections.append(rejection)

    server = AdsServer(lambda _node: CLASS, note)
    refused: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="gold") as name:
        await server.start(f"unix:{name}/ads.sock")
        server.publish(CLASS, Snapshot())
        try:
            async with (
                local_sds(Path(name)) as sds,
                running_envoy(Path(name), f"unix:{name}/ads.sock", delta=wire == "delta") as envoy,
            ):
                files = await secret_files(Path(name), sds)
                for case, translated in _snapshots(graphs, wire, ports):
                    snapshot = with_files(translated, files)
                    server.publish(CLASS, snapshot)
                    await _taken(server, envoy, case, snapshot, rejections)
                    if rejections:
                        refused[case] = [f"{item.name}: {item.message}" for item in rejections]
                        rejections.clear()
        finally:
            await server.stop(0.0)
    assert refused == {}


def _snapshots(
    graphs: Mapping[str, Graph], wire: Wire, ports: Ports
) -> Iterator[tuple[str, Snapshot]]:
    """Translations by case and gateway; of several that are equal, the first."""
    seen: set[frozenset[tuple[str, str]]] = set()
    authority = ca.Authority.in_memory(datetime.now(UTC))
    issued = authority.issue("mesh/golden/virtualNode/golden", (), datetime.now(UTC))
    secrets = (identity_secret(issued), trust_secret(authority))
    for case, graph in graphs.items():
        for key in graph.proxies:
            egress = None if key in graph.gateways else EGRESS
            node_class = NodeClass(key, wire, "127.0.0.1", ports, egress)
            bundle = translate(graph, node_class)
            snapshot = Endpoints().compose({node_class: bundle})[node_class]
            if graph.identities:
                snapshot = with_secrets(snapshot, secrets)
            resources = snapshot.resources
            content = frozenset(
                (item.name, item.version) for items in resources.values() for item in items.values()
            )
            if content not in seen:
                seen.add(content)
                yield f"{case} {key.path}", Snapshot(resources)


async def _taken(
    server: AdsServer,
    envoy: RunningEnvoy,
    case: str,
    snapshot: Snapshot,
    rejections: list[Rejection],
) -> None:
    """Waits until Envoy has answered, and has the listeners, clusters and routes or rejected some.

    An answered stream alone says little: Envoy asks for routes after it has taken listeners.
    """

    async def settled() -> bool:
        async with asyncio.timeout(SECONDS):
            await server.acknowledged(CLASS, streams=1)
        return bool(rejections) or await _has(envoy, snapshot)

    await eventually(settled, SECONDS, f"{case} in Envoy")


async def _has(envoy: RunningEnvoy, snapshot: Snapshot) -> bool:
    found: dict[str, set[str]] = {CLUSTER: set(), LISTENER: set(), ROUTE: set()}
    for dump in json.loads(await envoy.admin("/config_dump"))["configs"]:
        for part, (kind, field) in _PARTS.items():
            # What only drains is no longer there, though its routes are for as long as it does.
            items = [item for item in dump.get(part, ()) if set(item) - {"name", "draining_state"}]
            if any("warming_state" in item for item in items):
                return False
            found[kind] |= {(item[field] if field else item)["name"] for item in items}
    routes = found.pop(ROUTE)
    return routes.issuperset(snapshot.of(ROUTE)) and all(
        names == set(snapshot.of(kind)) for kind, names in found.items()
    )


def _free_ports(graphs: Iterable[Graph]) -> Ports:
    """A free local port for every listener's port.

    It is the same for all cases: Envoy cannot bind a port for one listener while another one that
    is on its way out still has it.
    """
    wanted = {
        listener.port
        for graph in graphs
        for proxy in graph.proxies.values()
        for listener in (proxy.listeners if isinstance(proxy, Gateway) else proxy.ingress)
    }
    with ExitStack() as held:
        pairs = []
        for port in sorted(wanted):
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            pairs.append((port, int(probe.getsockname()[1])))
        return tuple(pairs)
