"""Everything besides the graph that translation may depend on."""

from dataclasses import dataclass
from typing import Literal

from pointsman.graph.model.cluster import Address
from pointsman.resources.key import Key

Wire = Literal["delta", "sotw", "static"]
"""How a proxy gets its configuration: delta or state-of-the-world ADS, or one file."""


@dataclass(frozen=True, slots=True)
class NodeClass:
    """Proxies of one class get the same bytes.

    Attributes:
        owner: the virtual gateway or virtual node they belong to.
        wire: how they get their configuration; a gateway's virtual hosts travel alone with delta.
        bind: address listeners bind to.
        ports: (port in the manifest, local port) of listeners that are moved.
        egress: address where a sidecar listens for its application, a listener for each port of
            its backends. None captures connections that the kernel redirects to port 15001, and
            those from outside on port 15000.
        egress_ports: (port to be called, local port) of the listeners at `egress` that are moved.
        applications: (port in the manifest, address) where a node's application listens, unless
            on loopback on the same port.
        zone: availability zone, "" when unknown; endpoints there come first where a policy says so.
        counts: whether their Envoy can count by consumer: see `consumer_stats`.
    """

    owner: Key
    wire: Wire = "delta"
    bind: str = "0.0.0.0"
    ports: tuple[tuple[int, int], ...] = ()
    egress: str | None = None
    egress_ports: tuple[tuple[int, int], ...] = ()
    applications: tuple[tuple[int, Address], ...] = ()
    zone: str = ""
    counts: bool = True

    def local_port(self, port: int) -> int:
        """The port to bind for a listener's port."""
        return dict(self.ports).get(port, port)

    def egress_port(self, port: int) -> int:
        """The port to bind at `egress` for a port that the application calls."""
        return dict(self.egress_ports).get(port, port)
