"""A virtual gateway with everything a request can meet in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pointsman.graph.model.authorization_server import Front
from pointsman.graph.model.guards import NO_GUARDS, Guards
from pointsman.graph.model.hygiene import Hygiene, RouteHygiene
from pointsman.graph.model.listener import PLAIN, Extras
from pointsman.graph.model.match import RequestMatch
from pointsman.graph.model.node_id import node_id
from pointsman.graph.model.route import Override, Service
from pointsman.graph.model.telemetry import Telemetry
from pointsman.graph.model.tls import ClientTls, ServerTls
from pointsman.graph.model.version import ApiVersion
from pointsman.resources.key import Key
from pointsman.resources.kinds.listeners import LogFormat
from pointsman.resources.kinds.virtual_gateway import GatewayConnectionPool


class DomainKind(StrEnum):
    """How a host is compared."""

    EXACT = "exact"
    SUFFIX = "suffix"
    ANY = "any"


@dataclass(frozen=True, slots=True, order=True)
class Domain:
    """A set of hosts; exact beats suffix, the longer suffix beats the shorter, any comes last."""

    kind: DomainKind
    value: str = ""

    def __str__(self) -> str:
        """The host, `*suffix`, or `*`."""
        if self.kind is DomainKind.ANY:
            return "*"
        return f"*{self.value}" if self.kind is DomainKind.SUFFIX else self.value


ANY_HOST = Domain(DomainKind.ANY)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What a gateway route changes.

    Attributes:
        host: whether the host becomes the virtual service's name.
        prefix: replaces the matched prefix; joined to the rest by exactly one slash.
        path: replaces the whole path.
    """

    host: bool = True
    prefix: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceTarget:
    """A virtual service and its share, relative to its siblings' weights."""

    service: Service
    weight: int = 1


@dataclass(frozen=True, slots=True)
class GatewayRule:
    """A gateway route, linked.

    Attributes:
        key: the gateway route.
        gateway: the virtual gateway it is attached to.
        port: the gateway listener's port; None for every listener.
        domain: hosts it serves.
        match: which requests.
        targets: services by weight; with a total of 0 the answer is 503.
        rewrite: what is changed on the way.
        priority: as written; None counts as 1000.
        override: what its policy says; it counts before what the services' routes have.
        guards: what stands before it, where its services' routes have none of their own.
        hygiene: which requests it takes at all; None leaves that to the listener.
        version: of the API it serves, if anybody says; `match` has what asks for it.
    """

    key: Key
    gateway: Key
    port: int | None
    domain: Domain
    match: RequestMatch
    targets: tuple[ServiceTarget, ...]
    rewrite: Rewrite
    priority: int | None = None
    override: Override | None = None
    guards: Guards = NO_GUARDS
    hygiene: RouteHygiene | None = None
    version: ApiVersion | None = None


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """The rules for one set of hosts, in the order they are tried."""

    domain: Domain
    rules: tuple[GatewayRule, ...]


@dataclass(frozen=True, slots=True)
class Listener:
    """A port of a gateway.

    Attributes:
        port: the port in the manifest.
        protocol: grpc, http or http2.
        hosts: virtual hosts; a request for a host in none of them is answered 404.
        pool: limits of what passes through.
        tls: TLS of clients' connections; None for plaintext.
        extras: what its policy adds.
        guards: what stands before its rules, where they have none of their own.
        hygiene: which requests it takes at all; None takes what Envoy takes.
        front: the authorization server that is asked here, if any.
    """

    port: int
    protocol: str
    hosts: tuple[VirtualHost, ...]
    pool: GatewayConnectionPool | None = None
    tls: ServerTls | None = None
    extras: Extras = PLAIN
    guards: Guards = NO_GUARDS
    hygiene: Hygiene | None = None
    front: Front | None = None

    @property
    def rules(self) -> Iterator[GatewayRule]:
        """The rules of all its hosts; one that serves several hosts comes once for each."""
        return (rule for host in self.hosts for rule in host.rules)


def hygiene_of(listener: Listener, rule: GatewayRule) -> RouteHygiene | None:
    """Which requests a rule takes at a listener."""
    if rule.hygiene is not None:
        return rule.hygiene
    return None if listener.hygiene is None else listener.hygiene.routes


@dataclass(frozen=True, slots=True)
class AccessLogFile:
    """An access log: a file and its format; None for the usual JSON."""

    path: str
    format: LogFormat | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """A virtual gateway.

    Attributes:
        key: the virtual gateway.
        mesh: the mesh's name inside App Mesh, with `@owner` for a shared mesh.
        name: the gateway's name inside App Mesh.
        listeners: in the order of their ports.
        access_log: where requests are logged, if anywhere.
        tls: what is asked of connections to backends; None leaves it to what servers speak.
        telemetry: what its proxies tell a collector, if any.
    """

    key: Key
    mesh: str
    name: str
    listeners: tuple[Listener, ...]
    access_log: AccessLogFile | None = None
    tls: ClientTls | None = None
    telemetry: Telemetry | None = None

    @property
    def node_id(self) -> str:
        """The id its proxies give: `mesh/MESH/virtualGateway/NAME`."""
        return node_id(self.mesh, self.key.kind, self.name)

    @property
    def rules(self) -> Iterator[GatewayRule]:
        """The rules of all its listeners, some several times."""
        return (rule for listener in self.listeners for rule in listener.rules)

    @property
    def services(self) -> Iterator[Service]:
        """The virtual services its rules lead to, some several times."""
        return (target.service for rule in self.rules for target in rule.targets)
