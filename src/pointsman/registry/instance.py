"""An instance of a service, in the terms of AWS Cloud Map.

Everything Cloud Map knows of an instance besides its id and health is an attribute, so attributes
are kept as they are and read here: filters may name any of them.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pointsman.graph.model.endpoint import Locality

IPV4 = "AWS_INSTANCE_IPV4"
IPV6 = "AWS_INSTANCE_IPV6"
REGION = "REGION"
ZONE = "AVAILABILITY_ZONE"
PORT_PREFIX = "pointsman.dev/port."
"""`pointsman.dev/port.8080: 18080`: what listens on port 8080 elsewhere is on port 18080 here."""


class ServiceName(NamedTuple):
    """A service of a Cloud Map namespace."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """`SERVICE.NAMESPACE`, as `--resolve` takes it."""
        return f"{self.name}.{self.namespace}"


@dataclass(frozen=True, slots=True)
class Instance:
    """A registered copy of an application.

    Attributes:
        service: what it is a copy of.
        id: unique within the service.
        attributes: all that was registered, `AWS_INSTANCE_IPV4` and the like among it.
        healthy: False when its health check, or its silence, says so.
    """

    service: ServiceName
    id: str
    attributes: Mapping[str, str]
    healthy: bool = True

    @property
    def ipv4(self) -> str | None:
        """Its IPv4 address; None without a valid one."""
        return _address(self.attributes.get(IPV4), 4)

    @property
    def ipv6(self) -> str | None:
        """Its IPv6 address; None without a valid one."""
        return _address(self.attributes.get(IPV6), 6)

    @property
    def locality(self) -> Locality:
        """Where it runs, from the attributes App Mesh's controller registers."""
        return Locality(self.attributes.get(REGION, ""), self.attributes.get(ZONE, ""))

    def port(self, listener: int) -> int:
        """The port on which it serves a listener of its virtual node.

        App Mesh dials the listener's port. `AWS_INSTANCE_PORT` is not looked at: it names the
        first listener only, whichever is asked for.
        """
        moved = self.attributes.get(f"{PORT_PREFIX}{listener}", "")
        # Envoy rejects all endpoints of a service for one port that cannot be.
        is_port = moved.isascii() and moved.isdecimal() and 0 < int(moved) <= 65535
        return int(moved) if is_port else listener


def _address(text: str | None, version: int) -> str | None:
    try:
        address = ipaddress.ip_address(text or "")
    except ValueError:
        return None
    return str(address) if address.version == version else None
