"""R19: requests that are not shared as weights say, by more than chance.

Where manifests changed in the time that is looked at, and where a rollout moves weights, nobody can
say what the shares should have been.
"""

from collections.abc import Iterator
from math import sqrt
from typing import Final

from pointsman.doctor.catalogue.routes import SPLIT_OFF
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, Place, fact
from pointsman.doctor.live import Live
from pointsman.doctor.places import route_field
from pointsman.envoy.stats import Scope
from pointsman.graph.model.cluster import WeightedCluster
from pointsman.graph.model.route import Route, Service
from pointsman.resources.key import Key

ENOUGH: Final = 200
"""Requests from which on shares are compared."""
SIGMAS: Final = 5.0
"""Standard deviations that chance does not reach: once in 1.7 million looks."""
LEAST: Final = 0.05
"""And the least difference of shares that matters."""


def shares_off(evidence: Evidence) -> Iterator[Finding]:
    """Services with one route whose nodes got another share than their weights."""
    live = evidence.live
    if not live.steady:
        return
    for service in evidence.services:
        if len(service.routes) == 1 and len(service.routes[0].targets) > 1:
            yield from _compared(evidence, live, service, service.routes[0])


def _compared(evidence: Evidence, live: Live, service: Service, route: Route) -> Iterator[Finding]:
    counts = _counts(live, service.key)
    total, weights = sum(counts.values()), sum(item.weight for item in route.targets)
    if total < ENOUGH or not weights:
        return
    worst = max(route.targets, key=lambda item: abs(_off(item, counts, total, weights)))
    share, got = worst.weight / weights, counts.get(worst.cluster.node, 0) / total
    deviation = sqrt(max(share * (1 - share), 1 / total) / total)
    if abs(got - share) < max(SIGMAS * deviation, LEAST):
        return
    node = worst.cluster.node
    yield Finding(
        SPLIT_OFF,
        Place(route.key, route_field(evidence, route, "action", "weightedTargets")),
        f"{node} gets {100 * got:.3g} % of the requests to {service.key}, not {100 * share:.3g} %",
        SPLIT_OFF.severity,
        (fact(f"of {total} requests proxies sent it {counts.get(node, 0)}"),),
        _advice(route),
        affected=total,
    )


def _advice(route: Route) -> str:
    if route.effects.cohort is not None:
        return "cohorts follow the callers there are; with few of them shares are coarse"
    return "see whether retries move requests, and whether all proxies have these weights"


def _counts(live: Live, service: Key) -> dict[Key, int]:
    counts: dict[Key, int] = {}
    for subject, traffic in live.traffic.items():
        if subject.scope is Scope.NODE and subject.service == service and subject.node:
            counts[subject.node] = counts.get(subject.node, 0) + traffic.requests
    return counts


def _off(item: WeightedCluster, counts: dict[Key, int], total: int, weights: int) -> float:
    return counts.get(item.cluster.node, 0) / total - item.weight / weights
