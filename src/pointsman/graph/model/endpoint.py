"""Where one copy of an application is, as discovery found it."""

from dataclasses import dataclass

from pointsman.graph.model.cluster import Address


@dataclass(frozen=True, slots=True, order=True)
class Locality:
    """Where an endpoint runs; "" for what is not known."""

    region: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address of a cluster.

    Attributes:
        address: IP address and port.
        locality: where it runs.
        healthy: whether discovery thinks that it can serve.
    """

    address: Address
    locality: Locality = Locality()
    healthy: bool = True
