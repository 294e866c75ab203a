"""L05: connection pools that are about to be too small for the requests there are.

By Little's law as many requests are under way, on average, as come in a second times the seconds
each takes. How many there are at a moment is about Poisson's then, so a limit less than three
deviations above the average is reached every now and then. Proxies have a pool each.
"""

from collections.abc import Iterator
from math import sqrt
from typing import Final

from pointsman.doctor.catalogue.latency import POOL_NARROW
from pointsman.doctor.checks.failing import FEWEST
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, Place, fact
from pointsman.doctor.written import listener_field
from pointsman.graph.model.gateway import Listener
from pointsman.graph.model.sidecar import IngressListener
from pointsman.resources.key import Key
from pointsman.resources.kinds.listeners import HttpConnectionPool

ENOUGH: Final = 200
"""Requests from which on their average time says something."""
DEVIATIONS: Final = 3.0
_FULL: Final = "UO"
"""Envoy's flag of a request that was refused by a pool: L06 tells of those."""


def narrow_pools(evidence: Evidence) -> Iterator[Finding]:
    """Gateways and nodes with one listener, whose pool hardly has room for what it gets."""
    for key, listeners in _listeners(evidence):
        if len(listeners) == 1 and not _is_full(evidence, key):
            yield from _judged(evidence, key, listeners[0])


def _judged(
    evidence: Evidence, key: Key, listener: Listener | IngressListener
) -> Iterator[Finding]:
    live, limit = evidence.live, _limit(listener)
    traffic = live.taken.get(key)
    proxies = len(_proxies(evidence, key))
    if limit is None or traffic is None or not proxies:
        return
    latency = traffic.latency
    if traffic.requests < ENOUGH or not latency.count:
        return
    rate, mean_ms = traffic.requests / live.over, latency.total_ms / latency.count
    under_way = rate * mean_ms / 1000 / proxies
    if under_way + DEVIATIONS * sqrt(under_way) <= limit:
        return
    yield Finding(
        POOL_NARROW,
        Place(key, listener_field(evidence, key, listener.port, "connectionPool")),
        f"{key} has {under_way:.3g} requests under way on average, and {limit} at most",
        POOL_NARROW.severity,
        (
            fact(f"{rate:.3g} requests a second take {mean_ms:.3g} ms each on average"),
            fact(f"each proxy, of {proxies}, lets {limit} through at a time"),
        ),
        "raise the limit, start more proxies, or find out why requests take that long",
    )


def _listeners(
    evidence: Evidence,
) -> Iterator[tuple[Key, tuple[Listener, ...] | tuple[IngressListener, ...]]]:
    for key, gateway in evidence.graph.gateways.items():
        yield key, gateway.listeners
    for key, sidecar in evidence.graph.sidecars.items():
        yield key, sidecar.ingress


def _is_full(evidence: Evidence, key: Key) -> bool:
    nodes = set(_proxies(evidence, key))
    refused = (item for item in evidence.live.requests if _FULL in item.flags)
    return sum(item.node in nodes for item in refused) >= FEWEST


def _proxies(evidence: Evidence, key: Key) -> list[str]:
    """Node ids of the proxies that are connected, each as often as it is."""
    ids = (proxy.node for proxy in evidence.live.proxies)
    found = ((node_id, evidence.named.proxy(node_id)) for node_id in ids)
    return [node_id for node_id, proxy in found if proxy is not None and proxy.key == key]


def _limit(listener: Listener | IngressListener) -> int | None:
    """How many requests a pool lets through at a time; None without one of requests."""
    pool = listener.pool
    if pool is None:
        return None
    limits = pool.http or pool.http2 or pool.grpc
    if limits is None:
        return None
    return limits.max_connections if isinstance(limits, HttpConnectionPool) else limits.max_requests
