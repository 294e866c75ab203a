"""Rules of VersionPolicy."""

from collections.abc import Iterator
from datetime import datetime

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.version_policy import Milestone, VersionPolicySpec
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC, one_of
from pointsman.resources.rules.headers import header_name
from pointsman.resources.rules.targets import check_targets
from pointsman.resources.rules.urls import url
from pointsman.resources.words import shown


def check(resource: Resource[VersionPolicySpec]) -> Iterator[Problem]:
    """Targets, one way to ask, and moments in their order."""
    key, spec = resource.key, resource.spec
    yield from check_targets(resource)
    ways = {"header": spec.header, "mediaType": spec.media_type}
    yield from one_of(key, SPEC, ways, needed=False)
    if spec.header is not None:
        yield from header_name(key, (*SPEC, "header"), spec.header)
    if spec.default and not any(ways.values()):
        where: FieldPath = (*SPEC, "default")
        message = f"{show_path(where)} needs header or mediaType: there is nothing to ask by"
        yield Problem(codes.DEPENDENT_FIELD, message, "", key, where)
    yield from _moments(key, spec)
    yield from _pages(key, spec)


def _moments(key: Key, spec: VersionPolicySpec) -> Iterator[Problem]:
    found: dict[str, datetime] = {}
    milestones: tuple[tuple[str, Milestone | None], ...] = (
        ("deprecated", spec.deprecated),
        ("sunset", spec.sunset),
    )
    for field, milestone in milestones:
        if milestone is not None:
            try:
                found[field] = datetime.fromisoformat(milestone.at)
            except ValueError:
                where: FieldPath = (*SPEC, field, "at")
                message = f"{show_path(where)} is {shown(milestone.at)}, which is no moment"
                yield Problem(codes.BAD_FORMAT, message, "", key, where)
    if len(found) == 2 and found["sunset"] < found["deprecated"]:
        where = (*SPEC, "sunset", "at")
        message = f"{show_path(where)} is before the version is deprecated (RFC 9745, section 4)"
        yield Problem(codes.OUT_OF_RANGE, message, "", key, where)


def _pages(key: Key, spec: VersionPolicySpec) -> Iterator[Problem]:
    pages: tuple[tuple[FieldPath, str | None], ...] = (
        (("deprecated", "link"), spec.deprecated.link if spec.deprecated else None),
        (("sunset", "link"), spec.sunset.link if spec.sunset else None),
        (("successor",), spec.successor),
    )
    for field, page in pages:
        if page is not None:
            yield from url(key, (*SPEC, *field), page)
