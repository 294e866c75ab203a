"""Which filters a policy of limits is.

An Envoy filter that limits knows one allowance for a request. So a limit is as many filters as it
has allowances, its own and those of its overrides, and each of them acts only on the requests
that are its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from pointsman.graph.model.limits import Allowance, Limit, Limits, Service, limit_id
from pointsman.resources.key import Key

LIMIT_HEADER: Final = "x-pointsman-limit"
"""Names the limit that refused, in responses."""


class Way(IntEnum):
    """What a filter does for a limit, in the order in which they stand."""

    FACTS = 0
    """Writes down what requests are counted by, for `SHARED`."""
    SHARED = 1
    """Counts with all other proxies, by leases of the control plane."""
    PROXY = 2
    """Counts in the proxy; behind `SHARED`, so that what that refuses uses nothing up here."""
    SERVICE = 3
    """Asks a service."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A filter of a limit.

    Attributes:
        policy: the policy.
        place: of the limit in the policy.
        limit: the limit.
        way: what it does.
        override: which of the limit's overrides; None for its own allowance.
    """

    policy: Key
    place: int
    limit: Limit
    way: Way
    override: int | None = None

    @property
    def allowance(self) -> Allowance | Service:
        """How many it admits, or who decides."""
        own = None if self.override is None else self.limit.overrides[self.override].allowance
        return own or self.limit.allowance

    @property
    def id(self) -> str:
        """`NAMESPACE/POLICY/LIMIT`."""
        return limit_id(self.policy, self.limit.name)

    @property
    def name(self) -> str:
        """`pointsman.limit/NAMESPACE/POLICY/LIMIT`, and the override's place behind a slash.

        What stands beside a shared limit has a name of its own.
        """
        own = "" if self.override is None else f"/{self.override}"
        beside = {Way.FACTS: "_key", Way.PROXY: "_here"} if self.limit.shared else {}
        return f"pointsman.limit{beside.get(self.way, '')}/{self.id}{own}"

    @property
    def stat_prefix(self) -> str:
        """The same, with dots between."""
        return self.name.replace("/", ".")

    @property
    def order(self) -> tuple[str, int, int, int]:
        """Filters of one policy stand in the order of its limits."""
        return (
            self.policy.path,
            self.place,
            self.way.value,
            -1 if self.override is None else self.override,
        )


def counters(limits: Limits) -> Iterator[Counter]:
    """All filters of a policy."""
    for place, limit in enumerate(limits.limits):
        if limit.shared:
            yield Counter(limits.policy, place, limit, Way.FACTS)
        for way in _ways(limit):
            yield Counter(limits.policy, place, limit, way)
            for index, override in enumerate(limit.overrides):
                if override.allowance is not None:
                    yield Counter(limits.policy, place, limit, way, index)


def _ways(limit: Limit) -> Iterator[Way]:
    if isinstance(limit.allowance, Service):
        yield Way.SERVICE
        return
    if not limit.shared or _counts_here(limit):
        yield Way.PROXY
    if limit.shared:
        yield Way.SHARED


def _counts_here(limit: Limit) -> bool:
    """Whether a proxy counts for itself what all count together.

    A key that is new to it has no lease yet: it must not pass without any limit while there is
    nobody to lease one.
    """
    first = limit.away == "deny" and not limit.strict and not limit.shadow
    return first or limit.away == "local"
