"""What the control plane counts of itself: changes on their way to proxies, and what became of
them.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from pointsman.resources.key import Key
from pointsman.telemetry.family import Distribution, Family

BOUNDS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)


class Times:
    """Times in seconds, by bucket."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total += seconds


class OwnCounts:
    """Counts since the start of the process.

    Attributes:
        translations: from a change that is seen to what proxies are to have.
        pushes: from a change that is seen to the last proxy that has acknowledged it.
        unfinished: changes that not all proxies answered in time.
        rejections: resources that proxies rejected, by short name of their type.
        resources: how many of each kind there are.
    """

    def __init__(self) -> None:
        self.translations = Times()
        self.pushes = Times()
        self.unfinished = 0
        self.rejections: Counter[str] = Counter()
        self.resources: Mapping[str, int] = {}

    def pushed(self, seconds: float | None) -> None:
        """Proxies have taken a change; None when not all of them did in time."""
        if seconds is None:
            self.unfinished += 1
        else:
            self.pushes.add(seconds)

    def families(self, proxies: Mapping[Key, int]) -> Iterator[Family]:
        """All of it.

        Args:
            proxies: how many are connected, by gateway or node.
        """
        connected = Family("pointsman_connected_proxies", "gauge", "proxies with an xDS stream")
        for key, count in proxies.items():
            connected.add(count, {"kind": key.kind, "proxy": key.path})
        yield connected
        resources = Family("pointsman_resources", "gauge", "resources that are served, by kind")
        for kind, count in self.resources.items():
            resources.add(count, {"kind": kind})
        yield resources
        about = "seconds from a change to what proxies are to have"
        yield _histogram("pointsman_translation_seconds", about, self.translations)
        about = "seconds from a change to the last proxy that has acknowledged it"
        yield _histogram("pointsman_push_seconds", about, self.pushes)
        about = "changes that not all proxies answered within 20 s"
        unfinished = Family("pointsman_push_unfinished_total", "counter", about)
        unfinished.add(self.unfinished)
        yield unfinished
        about = "resources that proxies rejected, by type"
        rejected = Family("pointsman_xds_rejections_total", "counter", about)
        for kind, count in self.rejections.items():
            rejected.add(count, {"type": kind})
        yield rejected


def _histogram(name: str, about: str, times: Times) -> Family:
    family = Family(name, "histogram", about, "s")
    family.samples.append(Distribution({}, BOUNDS_S, times.counts, times.total))
    return family
