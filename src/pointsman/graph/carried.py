"""Which objects a proxy's configuration says something of, beyond those its resources name.

Resources of Envoy name the objects that are to blame when a proxy refuses them. A virtual service
and its router are never that, and are in force all the same.
"""

from collections.abc import Iterator

from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.sidecar import Sidecar
from pointsman.resources.key import Key


def carried(proxy: Gateway | Sidecar) -> Iterator[Key]:
    """The proxy's own object, and virtual services and routers that it knows; some twice."""
    yield proxy.key
    for service in proxy.services:
        yield service.key
        if service.router is not None:
            yield service.router
    if isinstance(proxy, Sidecar):
        yield from (backend.key for backend in proxy.tcp_backends)
