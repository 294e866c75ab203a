"""The state of a running instance, put together from its parts."""

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pointsman import __version__
from pointsman.control.compile import Proxy
from pointsman.envoy.node_class import NodeClass
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.gateway import Gateway
from pointsman.observe.status import ProblemStatus, ProxyStatus, Status, TypeStatus
from pointsman.resources.problem import Problem
from pointsman.resources.report import problem_json
from pointsman.xds.nodes import Node
from pointsman.xds.nodes import TypeStatus as Progress
from pointsman.xds.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ProxyState:
    """A proxy, what those of its class are to have, and those of them that are connected."""

    proxy: Proxy
    node_class: NodeClass
    snapshot: Snapshot
    nodes: tuple[Node, ...]


def proxy_states(
    served: Mapping[Hashable, tuple[NodeClass, Proxy, Snapshot]], nodes: Iterable[Node]
) -> list[ProxyState]:
    """Every class with those of its proxies that are connected.

    Args:
        served: what each class is to have.
        nodes: connected proxies, whose class is a key of it.
    """
    connected: dict[Hashable, list[Node]] = {}
    for node in nodes:
        connected.setdefault(node.node_class, []).append(node)
    return [
        ProxyState(proxy, node_class, snapshot, tuple(connected.get(whom, ())))
        for whom, (node_class, proxy, snapshot) in served.items()
    ]


def instance_status(
    *,
    since: float,
    paths: tuple[str, ...],
    proxies: Iterable[ProxyState],
    problems: Iterable[Problem],
) -> Status:
    """The status of this process.

    Args:
        since: when it started, in seconds since the epoch.
        paths: the manifests it serves.
        proxies: what is served.
        problems: what is wrong, located.
    """
    return Status(
        pid=os.getpid(),
        version=__version__,
        since=since,
        paths=paths,
        proxies=tuple(_proxy(state, node) for state in proxies for node in state.nodes),
        problems=tuple(ProblemStatus(**problem_json(problem)) for problem in problems),
    )


def _proxy(state: ProxyState, node: Node) -> ProxyStatus:
    return ProxyStatus(
        node=node.id,
        gateway=state.proxy.key.path,
        version=state.snapshot.version,
        envoy=node.envoy,
        wire=node.wire,
        since=node.since,
        addresses=tuple(_addresses(state)),
        types=tuple(_types(state.snapshot, node)),
    )


def _addresses(state: ProxyState) -> Iterator[str]:
    node_class = state.node_class
    if isinstance(state.proxy, Gateway):
        for item in state.proxy.listeners:
            yield str(Address(node_class.bind, node_class.local_port(item.port)))
    elif node_class.egress is not None:
        for inner in state.proxy.ingress:
            yield str(Address(node_class.bind, node_class.local_port(inner.port)))
        for called in state.proxy.egress:
            yield str(Address(node_class.egress, node_class.egress_port(called.port)))


def _types(snapshot: Snapshot, node: Node) -> Iterator[TypeStatus]:
    for type_url in dict.fromkeys((*snapshot.resources, *node.types)):
        progress = node.types.get(type_url, Progress())
        yield TypeStatus(
            type=short_name(type_url),
            resources=len(snapshot.of(type_url)),
            acks=progress.acks,
            nacks=progress.nacks,
            synced=progress.acked == progress.sent,
            error=progress.message,
        )


def short_name(type_url: str) -> str:
    """`type.googleapis.com/envoy.config.cluster.v3.Cluster` as `cluster`."""
    name = type_url.rpartition(".")[2]
    return "".join(f" {char.lower()}" if char.isupper() else char for char in name).strip()
