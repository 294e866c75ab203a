"""The whole linked meaning at one moment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pointsman.graph.model.access import Consumer
from pointsman.graph.model.authorization_server import AuthorizationServer
from pointsman.graph.model.gateway import Gateway, GatewayRule
from pointsman.graph.model.sidecar import Sidecar
from pointsman.resources.key import Key


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything that is served.

    Attributes:
        gateways: by key, in the order of their keys.
        sidecars: by key of the virtual node, in their order.
        consumers: by key, in their order.
        servers: authorization servers, by key, in their order.
        identities: whether proxies need what the mesh's own authority issues.
    """

    gateways: Mapping[Key, Gateway] = field(default_factory=dict)
    sidecars: Mapping[Key, Sidecar] = field(default_factory=dict)
    consumers: Mapping[Key, Consumer] = field(default_factory=dict)
    servers: Mapping[Key, AuthorizationServer] = field(default_factory=dict)
    identities: bool = False

    @property
    def rules(self) -> Iterator[GatewayRule]:
        """The rules of all gateways, some several times."""
        return (rule for gateway in self.gateways.values() for rule in gateway.rules)

    @property
    def proxies(self) -> Mapping[Key, Gateway | Sidecar]:
        """Everything a proxy may be, by key of its gateway or node."""
        return {**self.gateways, **self.sidecars}
