"""How a running instance is doing: what `GET /v1/status` carries."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass as plain_dataclass
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

from pointsman import __version__
from pointsman.envoy.node_class import NodeClass
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.gateway import Gateway
from pointsman.resources.problem import Problem
from pointsman.resources.report import problem_json
from pointsman.xds.nodes import Node
from pointsman.xds.snapshot import Snapshot

_CONFIG = ConfigDict(alias_generator=to_camel, validate_by_name=True, extra="ignore")


@plain_dataclass(frozen=True, slots=True)
class GatewayState:
    """What an instance knows of one gateway.

    Attributes:
        gateway: the gateway.
        node_class: what its proxies' configuration depends on.
        pid: process id of the Envoy run for it; None when none runs.
        proxies: connected proxies.
        snapshot: what is meant for them; None before the first.
    """

    gateway: Gateway
    node_class: NodeClass
    pid: int | None
    proxies: tuple[Node, ...]
    snapshot: Snapshot | None


@plain_dataclass(frozen=True, slots=True)
class StatusSource:
    """What an instance knows of itself.

    Attributes:
        pid: its process id.
        since: when it started, in seconds since the epoch.
        generation: how many configurations it has published.
        paths: the manifests it serves.
        bind: IP address its listeners are bound to.
        gateways: its gateways.
        problems: everything that is wrong now, located.
    """

    pid: int
    since: float
    generation: int
    paths: tuple[str, ...]
    bind: str
    gateways: tuple[GatewayState, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class TypeStatus:
    """How far a proxy is with one type of resource.

    Attributes:
        type: short name of the type, such as `Cluster`.
        sent: number of the newest answer sent.
        acked: number of the newest answer accepted; "" before the first.
        nacked: number of the newest answer rejected; "" before the first.
        error: Envoy's words on the newest rejection; "" once it accepted something since.
    """

    type: str
    sent: str = ""
    acked: str = ""
    nacked: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class ProxyStatus:
    """A connected proxy.

    Attributes:
        node: its node id.
        wire: `delta` or `sotw`.
        since: when it connected, in seconds since the epoch.
        types: progress by type.
    """

    node: str
    wire: str
    since: float
    types: tuple[TypeStatus, ...] = ()

    @property
    def state(self) -> str:
        """`rejecting` something, `synced` with all that was sent, or `waiting` for its answer."""
        if any(item.error for item in self.types):
            return "rejecting"
        settled = all(item.sent in (item.acked, item.nacked) for item in self.types)
        return "synced" if self.types and settled else "waiting"


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class ListenerStatus:
    """A listener: its port in the manifest and the address it is bound to."""

    port: int
    address: str


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class GatewayStatus:
    """A gateway.

    Attributes:
        gateway: `namespace/name`.
        node: node id of its proxies.
        pid: process id of the Envoy run for it; None when none runs.
        version: hash of all that is meant for its proxies; "" before the first.
        resources: how many resources that is, by short name of their type.
        listeners: where it listens.
        proxies: connected proxies.
    """

    gateway: str
    node: str
    pid: int | None = None
    version: str = ""
    resources: dict[str, int]
    listeners: tuple[ListenerStatus, ...] = ()
    proxies: tuple[ProxyStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class ProblemStatus:
    """A problem as `resources.report.problem_json` gives it."""

    code: str
    severity: str
    message: str
    hint: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    object: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Status:
    """A running instance.

    Attributes:
        pid: its process id.
        version: of Pointsman.
        since: when it started, in seconds since the epoch.
        generation: how many configurations it has published.
        paths: the manifests it serves.
        gateways: its gateways.
        problems: everything that is wrong now.
    """

    pid: int
    version: str
    since: float = 0.0
    generation: int = 0
    paths: tuple[str, ...] = ()
    gateways: tuple[GatewayStatus, ...] = ()
    problems: tuple[ProblemStatus, ...] = ()


_ADAPTER = TypeAdapter(Status)


def status_json(source: StatusSource) -> dict[str, Any]:
    """The status of an instance as a JSON object with camelCase names."""
    status = Status(
        pid=source.pid,
        version=__version__,
        since=source.since,
        generation=source.generation,
        paths=source.paths,
        gateways=tuple(_gateway(state, source.bind) for state in source.gateways),
        problems=tuple(ProblemStatus(**problem_json(problem)) for problem in source.problems),
    )
    return dump_status(status)


def dump_status(status: Status) -> dict[str, Any]:
    """A status as a JSON object with camelCase names."""
    value: dict[str, Any] = _ADAPTER.dump_python(status, mode="json", by_alias=True)
    return value


def parse_status(text: str | bytes) -> Status:
    """The status in a JSON text; unknown fields of newer instances are skipped.

    Raises:
        ValueError: it is not a status.
    """
    return _ADAPTER.validate_json(text)


def _gateway(state: GatewayState, bind: str) -> GatewayStatus:
    snapshot = state.snapshot or Snapshot()
    return GatewayStatus(
        gateway=state.gateway.key.path,
        node=state.gateway.node_id,
        pid=state.pid,
        version=_version(snapshot),
        resources={_short(kind): len(items) for kind, items in snapshot.resources.items()},
        listeners=tuple(_listeners(state, bind)),
        proxies=tuple(_proxy(node) for node in state.proxies),
    )


def _listeners(state: GatewayState, bind: str) -> Iterator[ListenerStatus]:
    for listener in state.gateway.listeners:
        address = Address(bind, state.node_class.local_port(listener.port))
        yield ListenerStatus(port=listener.port, address=str(address))


def _proxy(node: Node) -> ProxyStatus:
    return ProxyStatus(
        node=node.id,
        wire="delta" if node.delta else "sotw",
        since=node.since,
        types=tuple(
            TypeStatus(
                type=_short(kind),
                sent=item.sent,
                acked=item.acked,
                nacked=item.nacked,
                error=item.message,
            )
            for kind, item in node.types.items()
        ),
    )


def _short(type_url: str) -> str:
    return type_url.rpartition(".")[2]


def _version(snapshot: Snapshot) -> str:
    """One version for all resources: equal snapshots have an equal one in every process."""
    if not snapshot.resources:
        return ""
    digest = hashlib.blake2b(digest_size=6)
    for kind, items in sorted(snapshot.resources.items()):
        for name, item in sorted(items.items()):
            digest.update(f"{kind}\0{name}\0{item.version}\n".encode())
    return digest.hexdigest()
