"""Which filters a policy of limits is: one for each allowance."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pointsman.graph.model.limits import Allowance, Limit, Limits, Service, limit_id
from pointsman.resources.key import Key

LIMIT_HEADER: Final = "x-pointsman-limit"
"""Names the limit that refused, in responses."""
_PREFIX: Final = "pointsman.limit"


@dataclass(frozen=True, slots=True)
class Counter:
    """A filter that counts.

    Attributes:
        policy: the policy.
        place: of the limit in the policy.
        limit: the limit.
        override: which of its overrides; None for the limit's own allowance.
        allowance: how many it admits, or who decides.
    """

    policy: Key
    place: int
    limit: Limit
    override: int | None
    allowance: Allowance | Service

    @property
    def id(self) -> str:
        """`NAMESPACE/POLICY/LIMIT`."""
        return limit_id(self.policy, self.limit.name)

    @property
    def name(self) -> str:
        """`pointsman.limit/NAMESPACE/POLICY/LIMIT`, and the override's place behind a slash."""
        own = "" if self.override is None else f"/{self.override}"
        return f"{_PREFIX}/{self.id}{own}"

    @property
    def stat_prefix(self) -> str:
        """The same, with dots between."""
        return self.name.replace("/", ".")

    @property
    def order(self) -> tuple[str, int, int]:
        """Filters of one policy stand in the order of its limits."""
        return (self.policy.path, self.place, -1 if self.override is None else self.override)


def counters(limits: Limits) -> Iterator[Counter]:
    """All filters of a policy."""
    for place, limit in enumerate(limits.limits):
        yield Counter(limits.policy, place, limit, None, limit.allowance)
        for index, override in enumerate(limit.overrides):
            if override.allowance is not None:
                yield Counter(limits.policy, place, limit, index, override.allowance)
