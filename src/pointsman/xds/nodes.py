"""Which proxies are connected and how far they are, for `status` and for nobody's decisions.

A proxy is known by its stream: `node.id` is not unique, since a restarting proxy overlaps with
its successor and people copy bootstraps.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Wire = Literal["delta", "sotw"]
"""Which variant of the protocol a proxy speaks: incremental or state of the world."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A proxy that asks to be served, as it describes itself.

    Attributes:
        id: its `node.id`.
        cluster: its `node.cluster`.
        zone: its `node.locality.zone`, "" when it does not tell.
        wire: the variant of the protocol it speaks.
        envoy: version of its Envoy, "" when it does not tell.
    """

    id: str
    cluster: str = ""
    zone: str = ""
    wire: Wire = "delta"
    envoy: str = ""


@dataclass(slots=True)
class TypeStatus:
    """Progress of one type on one stream.

    Attributes:
        sent: nonce of the newest answer sent, "" before the first.
        acked: nonce of the newest accepted answer.
        nacked: nonce of the newest rejected answer.
        acks: how many answers it accepted.
        nacks: how many answers it rejected.
        message: Envoy's words on the newest rejection, "" when it accepted something since.
    """

    sent: str = ""
    acked: str = ""
    nacked: str = ""
    acks: int = 0
    nacks: int = 0
    message: str = ""


@dataclass(slots=True)
class Node:
    """A connected proxy.

    Attributes:
        stream: number of the stream, unique in this process.
        id: `node.id` as the proxy gave it.
        node_class: what its configuration depends on.
        wire: the variant of the protocol it speaks.
        envoy: version of its Envoy, "" when it does not tell.
        since: seconds since the epoch at which it connected.
        types: progress by type URL.
    """

    stream: int
    id: str
    node_class: Hashable
    wire: Wire
    envoy: str
    since: float
    types: dict[str, TypeStatus] = field(default_factory=dict)

    def of(self, type_url: str) -> TypeStatus:
        """Progress of one type, created when it is first asked for."""
        return self.types.setdefault(type_url, TypeStatus())


class Nodes:
    """Registry of connected proxies."""

    def __init__(self) -> None:
        self._nodes: dict[int, Node] = {}

    @property
    def connected(self) -> Mapping[int, Node]:
        """Read-only view by stream number."""
        return MappingProxyType(self._nodes)

    def add(self, node: Node) -> None:
        """A proxy has connected."""
        self._nodes[node.stream] = node

    def remove(self, stream: int) -> None:
        """A stream has ended."""
        self._nodes.pop(stream, None)
