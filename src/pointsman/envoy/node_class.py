"""Everything besides the graph that translation may depend on."""

from dataclasses import dataclass
from typing import Literal

from pointsman.resources.key import Key

Wire = Literal["delta", "sotw", "static"]
"""How a proxy gets its configuration: delta or state-of-the-world ADS, or one file."""


@dataclass(frozen=True, slots=True)
class NodeClass:
    """Proxies of one class get the same bytes.

    Attributes:
        gateway: the virtual gateway they are.
        wire: how they get their configuration; with delta ADS each virtual host travels alone.
        bind: address listeners bind to.
        ports: (port in the manifest, local port) of listeners that are moved.
    """

    gateway: Key
    wire: Wire = "delta"
    bind: str = "0.0.0.0"
    ports: tuple[tuple[int, int], ...] = ()

    def local_port(self, port: int) -> int:
        """The port to bind for a listener's port."""
        return dict(self.ports).get(port, port)
