"""Whether those beside a slow node, or beside its slow endpoints, answer in time."""

from collections.abc import Iterator
from functools import cached_property
from itertools import chain
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


class Peers:
    """Compares nodes with those they share a route with, and endpoints with each other.

    Args:
        evidence: what there is to go by.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def faster(self, node: Key, slow: list[Request]) -> Iterator[Fact]:
        """Other nodes of the same routes, and other endpoints of the node, that are faster."""
        limit = median(map(_worked, slow)) / TIMES
        for peer in sorted(self._siblings.get(node, ())):
            times = list(chain.from_iterable(self._times.get(peer, {}).values()))
            if len(times) >= FEWEST and median(times) <= limit:
                yield fact(f"{peer} of the same route answers in {median(times):.0f} ms", peer)
        endpoints = self._times.get(node, {})
        fast = [times for times in endpoints.values() if median(times) <= limit]
        if sum(map(len, fast)) >= FEWEST:
            yield fact(f"{len(fast)} of its {len(endpoints)} endpoints are not slow")

    @cached_property
    def _times(self) -> dict[Key, dict[str, list[float]]]:
        """How long backends worked, by node and endpoint."""
        found: dict[Key, dict[str, list[float]]] = {}
        for request in self._evidence.live.requests:
            node = self._evidence.named.node(request.cluster)
            if node is not None and request.phases.answered is not None:
                by_endpoint = found.setdefault(node, {})
                by_endpoint.setdefault(request.endpoint, []).append(_worked(request))
        return found

    @cached_property
    def _siblings(self) -> dict[Key, set[Key]]:
        """Nodes that share a route with others, and these."""
        found: dict[Key, set[Key]] = {}
        for route in self._evidence.routes:
            nodes = {item.cluster.node for item in route.targets if item.weight}
            if len(nodes) > 1:
                for node in nodes:
                    found.setdefault(node, set()).update(nodes - {node})
        return found


def _worked(request: Request) -> float:
    """Time in ms from the last byte to the backend to its first one back."""
    phases = request.phases
    return (phases.answered or request.duration) - (phases.sent_whole or phases.sent or 0.0)
