"""What is intercepted, and what is not: the contract between an app, its Envoy and the kernel.

It is that of App Mesh's init container `proxyinit`, so that a pod or a machine that was set up for
App Mesh needs no new numbers. How the kernel is told stands in `rules`.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from pointsman.errors import UsageError

Network = IPv4Network | IPv6Network

ENVOY_UID = 1337
"""The user App Mesh ran Envoy as, when nobody named another one."""
SSH_PORT = 22
"""Never intercepted by App Mesh, lest a machine locks its administrators out."""
METADATA: tuple[Network, ...] = (
    IPv4Network("169.254.169.254/32"),
    IPv6Network("fd00:ec2::254/128"),
)
"""Instance metadata of EC2 over IPv4 and IPv6; credentials come from there."""

LARGEST_PORT = 65535
LARGEST_ID = 2**32 - 2
"""Of a user or group; the number above it means "none" to the kernel."""


@dataclass(frozen=True, slots=True)
class Interception:
    """Which TCP connections go through Envoy. Connections of this host to itself never do.

    Attributes:
        app_ports: ports whose inbound connections go to Envoy; none means that nothing
            inbound is intercepted.
        ingress_port: where Envoy takes inbound connections.
        egress_port: where Envoy takes outbound connections.
        ignored_uids: users whose outbound connections stay as they are, Envoy's among them.
        ignored_gids: groups, likewise.
        ignored_ports: destination ports that outbound connections reach directly.
        ignored_addresses: destination networks that outbound connections reach directly.
        ipv6: whether IPv6 is intercepted, too; IPv4 always is.

    Raises:
        UsageError: a number is out of range, or Envoy would be sent to itself.
    """

    app_ports: tuple[int, ...] = ()
    ingress_port: int = 15000
    egress_port: int = 15001
    ignored_uids: tuple[int, ...] = (ENVOY_UID,)
    ignored_gids: tuple[int, ...] = ()
    ignored_ports: tuple[int, ...] = (SSH_PORT,)
    ignored_addresses: tuple[Network, ...] = METADATA
    ipv6: bool = True

    def __post_init__(self) -> None:
        own = (self.ingress_port, self.egress_port)
        for port in (*self.app_ports, *own, *self.ignored_ports):
            if not 1 <= port <= LARGEST_PORT:
                raise UsageError(f"{port} is not a port", hint="ports are 1 to 65535")
        for number in (*self.ignored_uids, *self.ignored_gids):
            if not 0 <= number <= LARGEST_ID:
                raise UsageError(f"{number} is not a user or group id")
        if not self.ignored_uids and not self.ignored_gids:
            raise UsageError(
                "neither a user nor a group is ignored: Envoy's connections would come back to it",
                hint="name who Envoy runs as, with --ignore-uid or --ignore-gid",
            )
        if self.ingress_port == self.egress_port:
            raise UsageError(
                f"port {self.ingress_port} cannot take both directions",
                hint="Envoy tells them apart by port; the defaults are 15000 and 15001",
            )
        for port in self.app_ports:
            if port in own:
                raise UsageError(
                    f"app port {port} is Envoy's own: it would be sent to itself",
                    hint="name the port the app listens on, or move Envoy's",
                )


def parse_network(text: str) -> Network:
    """An address or a network in CIDR notation, of either family; host bits are dropped.

    Raises:
        UsageError: it is neither.
    """
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise UsageError(
            f"{text!r} is neither an IP address nor a network",
            hint="for example 169.254.170.2 or fd00:10::/32; names are not resolved",
        ) from None
