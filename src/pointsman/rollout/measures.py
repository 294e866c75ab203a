"""What a rollout is told of requests, and by whom: the interface to whatever measures them."""

from dataclasses import dataclass, replace
from typing import Protocol

from pointsman.resources.key import Key


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose requests: those of one version that came by one route.

    Attributes:
        version: the virtual node or virtual service that answered.
        through: the VirtualRouter or GatewayRoute that led there.
        route: name of the router's route; "" for a gateway route.
    """

    version: Key
    through: Key
    route: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """Requests of a subject in a span of time.

    Attributes:
        requests: those answered.
        failures: those of them with a status of 500 and more, or no answer at all.
        latencies: (milliseconds, requests answered within them), by growing milliseconds; what is
            missing of `requests` took longer.
    """

    requests: int = 0
    failures: int = 0
    latencies: tuple[tuple[float, int], ...] = ()

    def slower(self, than_ms: float) -> int:
        """How many took longer; those in a bucket that reaches beyond the time count as longer."""
        return max(0, self.requests - self._within(than_ms))

    def __add__(self, other: "Sample") -> "Sample":
        """Both together."""
        bounds = sorted({bound for bound, _ in (*self.latencies, *other.latencies)})
        return Sample(
            self.requests + other.requests,
            self.failures + other.failures,
            tuple((bound, self._within(bound) + other._within(bound)) for bound in bounds),
        )

    def brief(self) -> "Sample":
        """The same, without latencies that say nothing new."""
        counts = (0, *(count for _, count in self.latencies))
        pairs = zip(self.latencies, counts, strict=False)
        return replace(self, latencies=tuple(item for item, before in pairs if item[1] > before))

    def _within(self, ms: float) -> int:
        """How many are known to have been answered within a time."""
        within = 0
        for bound, count in self.latencies:
            if bound > ms:
                break
            within = count
        return within


class Measures(Protocol):
    """Counts requests."""

    @property
    def late_s(self) -> float:
        """Seconds after which a request is counted at the latest."""

    def measure(self, subject: Subject, since: float, until: float) -> Sample | None:
        """What a subject did, between two moments in seconds since 1970; None if unknown."""
