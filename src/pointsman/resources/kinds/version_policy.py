"""VersionPolicy: which version of an API gateway routes serve, and how long it will be there."""

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from pointsman.resources.kinds.access_methods import Url
from pointsman.resources.kinds.base import Flag, Name, schema
from pointsman.resources.kinds.targets import TargetRefs, Targets

Version = Annotated[str, Strict(), Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Instant = Annotated[
    str, Strict(), Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})$")
]
"""A moment as RFC 3339 writes it."""
MediaType = Annotated[
    str, Strict(), Field(pattern=r"^[a-z]+/[A-Za-z0-9!#$&^_.+-]+$", max_length=127)
]


@schema
class Milestone:
    """Something that happens to a version at a moment, and where to read about it."""

    at: Instant
    """When, as `2026-12-31T00:00:00Z`."""
    link: Url | None = None
    """A page for those who use the version."""


@schema
class VersionPolicySpec:
    """Spec of a VersionPolicy."""

    TARGETS: ClassVar = Targets(("GatewayRoute",))

    target_refs: TargetRefs
    """The gateway routes that serve the version."""
    version: Version
    """Its name, such as `v1` or `2026-01-15`."""
    header: Name | None = None
    """Requests ask for it by this header, whose value is the version. Without `header` and
    `mediaType` the route's own match tells it, mostly by the path."""
    media_type: MediaType | None = None
    """Requests ask for it by this media type among those they accept."""
    default: Flag = False
    """Whether requests that ask for no version get this one."""
    deprecated: Milestone | None = None
    """From when on it should no longer be used: `Deprecation` in answers (RFC 9745)."""
    sunset: Milestone | None = None
    """From when on it may be gone: `Sunset` in answers (RFC 8594)."""
    successor: Url | None = None
    """Where the version is that takes its place: a `successor-version` link in answers."""
    retired: Flag = False
    """Whether it is gone: requests are answered 410."""
