"""What rollouts go by where nobody else is asked: the window of what proxies report.

Proxies report what happened in five seconds, so only slots that are over are counted: each of
them in one span of time and in no other, whenever a rollout looks.
"""

import math
from collections.abc import Iterator
from itertools import accumulate

from pointsman.envoy.stats import BUCKETS_MS, Scope
from pointsman.resources.key import Key
from pointsman.rollout.measures import Sample, Subject
from pointsman.telemetry.series import SLOT_S
from pointsman.telemetry.traffic import Traffic, add_up
from pointsman.telemetry.window import Selector, Window

_LATE_S = 2.0 * SLOT_S + 1.0
"""A report comes five seconds after a request, and its slot is over five seconds later."""


class WindowMeasures:
    """Counts requests by the window.

    A virtual node is counted by all that reached it, by whichever route: Envoy counts by cluster.

    Args:
        window: what proxies reported.
    """

    def __init__(self, window: Window) -> None:
        self._window = window

    @property
    def late_s(self) -> float:
        """Seconds after which a request is counted at the latest."""
        return _LATE_S

    def measure(self, subject: Subject, since: float, until: float) -> Sample | None:
        """What a subject did, between two moments in seconds since 1970; None if unknown."""
        found = list(self._rows(subject, _whole(since), _whole(until)))
        if not found:
            return None
        traffic = add_up(item.numbers for item in found)
        within = accumulate(traffic.latency.counts[:-1])
        return Sample(
            requests=traffic.requests,
            failures=traffic.failures,
            latencies=tuple(zip(map(float, BUCKETS_MS), within, strict=True)),
        )

    def _rows(self, subject: Subject, since: float, until: float) -> Iterator[Traffic]:
        if subject.version.kind == "VirtualNode":
            selector = Selector(Scope.NODE, node=subject.version)
            yield from (traffic for _, traffic in self._window.rows(selector, since, until))
            return
        selector = Selector(Scope.ROUTE, service=subject.version)
        for item, traffic in self._window.rows(selector, since, until):
            if _is_through(item.route, subject.through):
                yield traffic


def _is_through(route: str, through: Key) -> bool:
    return f"{route}/".startswith(f"{through.path}/")


def _whole(moment: float) -> float:
    """The moment at which the slot began."""
    return math.floor(moment / SLOT_S) * SLOT_S
