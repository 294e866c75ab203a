"""Ways a request can take: from a gateway or an application, by a route, to a virtual node's port.

Checks of times, retries and TLS compare what both ends of such a way say.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.doctor.evidence import Evidence
from pointsman.graph.model.cluster import Cluster
from pointsman.graph.model.route import Override, RetryPolicy, Route, Service
from pointsman.graph.model.tls import ClientTls
from pointsman.resources.key import Key


@dataclass(frozen=True, slots=True)
class Call:
    """A route as somebody uses it.

    Attributes:
        caller: the gateway or the virtual node.
        override: what the gateway route that leads to it says instead; None for nothing.
        route: the route.
        tls: what the caller asks of connections.
    """

    caller: Key
    override: Override | None
    route: Route
    tls: ClientTls | None

    @property
    def request_ms(self) -> int:
        """Time of a whole request in ms; 0 for no limit."""
        if self.override is not None and self.override.request_ms is not None:
            return self.override.request_ms
        return self.route.timeouts.request_ms

    @property
    def retry(self) -> RetryPolicy:
        """When a request is tried again."""
        if self.override is not None and self.override.retry is not None:
            return self.override.retry
        return self.route.retry

    @property
    def try_ms(self) -> int:
        """Time of one try in ms; 0 for no limit."""
        limits = [ms for ms in (self.request_ms, self.retry.per_retry_ms) if ms]
        return min(limits, default=0)

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """Where requests may go; what has no weight gets none."""
        return tuple(target.cluster for target in self.route.targets if target.weight)


def calls(evidence: Evidence) -> Iterator[Call]:
    """Every call that gateways and applications can make.

    Ten thousand gateway routes to one service are one call of each of its routes, unless their
    policies differ.
    """
    seen: set[tuple[Key, int, int]] = set()
    for gateway, _, host in evidence.hosts:
        for rule in host.rules:
            for target in rule.targets:
                known = (gateway.key, id(rule.override), id(target.service))
                if known not in seen:
                    seen.add(known)
                    yield from _calls(gateway.key, rule.override, target.service, gateway.tls)
    for key, sidecar in evidence.graph.sidecars.items():
        for port in sidecar.egress:
            for backend in port.http:
                yield from _calls(key, None, backend.service, backend.tls)


def _calls(
    caller: Key, override: Override | None, service: Service, tls: ClientTls | None
) -> Iterator[Call]:
    for route in service.routes:
        yield Call(caller, override, route, tls)


@dataclass(frozen=True, slots=True)
class Connection:
    """A caller and a port of a node that it may connect to, by HTTP or by TCP."""

    caller: Key
    tls: ClientTls | None
    cluster: Cluster


def connections(evidence: Evidence) -> Iterator[Connection]:
    """Every connection that gateways and applications can make, once."""
    known = dict.fromkeys(
        (call.caller, call.tls, cluster) for call in calls(evidence) for cluster in call.clusters
    )
    for key, sidecar in evidence.graph.sidecars.items():
        for port in sidecar.egress:
            for backend in port.tcp:
                known.update({(key, backend.tls, item.cluster): None for item in backend.targets})
    for caller, tls, cluster in known:
        yield Connection(caller, tls, cluster)


def clusters(evidence: Evidence) -> Iterator[Cluster]:
    """Every port of a node that somebody may connect to, once."""
    yield from dict.fromkeys(connection.cluster for connection in connections(evidence))
