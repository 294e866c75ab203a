"""Requests that failed, each at the proxy where it began to go wrong.

A request that passes a gateway and two sidecars is recorded three times, and a failure at its end
shows in all of them: behind an answer that was only passed on stands the proxy that gave it, and
behind a client that left often a proxy that had waited long enough.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pointsman.doctor.evidence import Evidence
from pointsman.graph.model.gateway import Gateway, GatewayRule
from pointsman.graph.model.route import Route
from pointsman.graph.model.sidecar import Sidecar
from pointsman.resources.key import Key
from pointsman.telemetry.requests import Request

LEFT: Final = frozenset({"DC", "DR"})
"""Flags that say that the client went away."""
PASSED_ON: Final = frozenset({"URX"})
"""Flags that say nothing of why."""
_UNCHOSEN: Final = frozenset({"UH"})
"""Flags of requests for which a node was chosen that the record does not tell."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that failed, and whom that is about.

    Attributes:
        request: as the proxy saw it where it went wrong.
        proxy: whose proxy that is; None for one that is no longer configured.
        node: the virtual node it was sent to, if that was chosen.
        rule: the gateway route it took.
        route: the route of a router, or of a service without one.
        hidden: whether another try was answered, so that the client saw nothing of it.
    """

    request: Request
    proxy: Gateway | Sidecar | None = None
    node: Key | None = None
    rule: GatewayRule | None = None
    route: Route | None = None
    hidden: bool = False

    @property
    def subject(self) -> Key | None:
        """What it is counted for: the node, or else whoever took it."""
        return self.node or (self.proxy.key if self.proxy is not None else None)


def failures(evidence: Evidence) -> Iterator[Failure]:
    """All of them, in the order of their first records."""
    passed: dict[tuple[str, int], list[Request]] = {}
    for number, request in enumerate(evidence.live.requests):
        # Who has no id has its record to itself.
        passed.setdefault((request.id, 0 if request.id else number), []).append(request)
    answering = frozenset(_answering(evidence))
    for records in passed.values():
        blamed = to_blame(records)
        if blamed is not None:
            first = min(records, key=lambda item: item.start)
            yield _of(evidence, blamed, answering, hidden=not first.is_notable)


def to_blame(records: Iterable[Request]) -> Request | None:
    """The record of one request that shows where it went wrong; None where all went well."""
    notable = [item for item in records if item.is_notable]
    if not notable:
        return None
    return max(notable, key=lambda item: (_weight(item), item.start))


def _weight(request: Request) -> int:
    """How much a record tells: a proxy's own reason, an answer passed on, a client that left."""
    flags = set(request.flags) - PASSED_ON
    if flags - LEFT:
        return 2
    return 0 if flags else 1


def _answering(evidence: Evidence) -> Iterator[Key]:
    """Virtual nodes that have answered somebody."""
    for request in evidence.live.requests:
        node = evidence.named.node(request.cluster)
        if node is not None and request.phases.answered is not None:
            yield node


def fault_policy(rule: GatewayRule | None, route: Route | None) -> Key | None:
    """The policy that fails or delays what takes a route on purpose; None where none does."""
    override = rule.override if rule is not None else None
    if override is not None and override.effects.fault is not None:
        return override.policy
    if route is not None and route.effects.fault is not None:
        return route.policies[0]
    return None


def _of(
    evidence: Evidence, request: Request, answering: frozenset[Key], *, hidden: bool
) -> Failure:
    named = evidence.named
    route = named.route(request.route)
    node = named.node(request.cluster)
    if node is None and route is not None and _UNCHOSEN.intersection(request.flags):
        node = _only_one(route, answering)
    return Failure(
        request, named.proxy(request.node), node, named.rule(request.route), route, hidden
    )


def _only_one(route: Route, answering: frozenset[Key]) -> Key | None:
    """The one node of a route that it may have been: others answer, or there are none."""
    nodes = {item.cluster.node for item in route.targets if item.weight}
    left = nodes - answering if len(nodes) > 1 else nodes
    return left.pop() if len(left) == 1 else None
