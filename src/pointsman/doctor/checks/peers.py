"""Whether those beside a slow node, or beside its slow endpoints, answer in time."""

from collections.abc import Iterator
from statistics import median
from typing import Final

from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Fact, fact
from pointsman.resources.key import Key
from pointsman.telemetry.requests import Request

FEWEST: Final = 3
"""Requests from which on somebody is compared."""
TIMES: Final = 3
"""How many times faster somebody has to be to be told of."""


def faster_peers(evidence: Evidence, node: Key, slow: list[Request]) -> Iterator[Fact]:
    """Other nodes of the same routes, and other endpoints of the node, that are faster."""
    limit = median(map(_worked, slow)) / TIMES
    by_node: dict[Key, list[float]] = {}
    by_endpoint: dict[str, list[float]] = {}
    peers = _peers(evidence, node)
    for request in evidence.live.requests if evidence.live else ():
        called = evidence.named.node(request.cluster)
        if called is None or request.phases.answered is None:
            continue
        if called in peers:
            by_node.setdefault(called, []).append(_worked(request))
        elif called == node:
            by_endpoint.setdefault(request.endpoint, []).append(_worked(request))
    for peer, times in by_node.items():
        if len(times) >= FEWEST and median(times) <= limit:
            yield fact(f"{peer} of the same route answers in {median(times):.0f} ms", peer)
    fast = [times for times in by_endpoint.values() if median(times) <= limit]
    if fast and sum(map(len, fast)) >= FEWEST:
        yield fact(f"{len(fast)} of its {len(by_endpoint)} endpoints are not slow")


def _peers(evidence: Evidence, node: Key) -> set[Key]:
    found: set[Key] = set()
    for route in evidence.routes:
        nodes = {item.cluster.node for item in route.targets if item.weight}
        if node in nodes:
            found |= nodes
    return found - {node}


def _worked(request: Request) -> float:
    """Time in ms from the last byte to the backend to its first one back."""
    phases = request.phases
    return (phases.answered or request.duration) - (phases.sent_whole or phases.sent or 0.0)
