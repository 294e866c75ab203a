"""Which version of an API a gateway route serves: what a VersionPolicy means."""

from dataclasses import dataclass
from enum import StrEnum

from pointsman.graph.model.match import HeaderCondition
from pointsman.resources.key import Key


class Stage(StrEnum):
    """How far a version is in its life."""

    CURRENT = "current"
    DEPRECATED = "deprecated"
    """Its users are told to leave it, by a `deprecated` or `sunset`."""
    RETIRED = "retired"
    """Requests are answered 410."""


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """A version.

    Attributes:
        policy: the policy.
        name: of the version.
        asked: how requests ask for it; None where the route's match tells it.
        by: the header it is asked by, in lower case; "" likewise.
        default: whether requests that ask for no version get it.
        deprecated_s: since when it is deprecated, in seconds since 1970.
        sunset_s: from when on it may be gone, likewise.
        links: pages as (relation, address).
        retired: whether it is gone.
    """

    policy: Key
    name: str
    asked: HeaderCondition | None = None
    by: str = ""
    default: bool = False
    deprecated_s: int | None = None
    sunset_s: int | None = None
    links: tuple[tuple[str, str], ...] = ()
    retired: bool = False

    @property
    def stage(self) -> Stage:
        """How far it is, as written; what a moment means by now is for clocks to say."""
        if self.retired:
            return Stage.RETIRED
        moments = (self.deprecated_s, self.sunset_s)
        return Stage.CURRENT if moments == (None, None) else Stage.DEPRECATED
