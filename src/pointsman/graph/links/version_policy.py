"""VersionPolicy: which version of an API a gateway route serves, and who asks for it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

import re2

from pointsman.graph.links.context import Context
from pointsman.graph.links.policies import Attached, Target
from pointsman.graph.model.gateway import GatewayRule
from pointsman.graph.model.match import HeaderCondition, HeaderTest, RequestMatch
from pointsman.graph.model.version import ApiVersion
from pointsman.resources.codes import versions as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.version_policy import Milestone, VersionPolicySpec
from pointsman.resources.problem import Problem

KIND: Final = "VersionPolicy"
_PARAMETER: Final = r"\s*;\s*(?:q\s*=[^,;]*[1-9][^,;]*|[^,;=\sq][^,;]*|q[^,;=\s][^,;]*)?"
"""A parameter of a media type that does not rule it out, as `q=0` does."""


def route_version(context: Context, route: Key) -> ApiVersion | None:
    """The version that a gateway route serves; remembered. None without a policy."""
    attached = context.policies.at(KIND, Target(route))
    if attached is None:
        return None
    step = ("version", attached.policy)
    result: ApiVersion = context.memo.get(step, (attached.spec,), lambda: _read(attached))
    return result


def versioned(rule: GatewayRule, version: ApiVersion) -> GatewayRule:
    """A gateway route for those requests that ask for a version."""
    if version.asked is None:
        return replace(rule, version=version)
    match = replace(rule.match, headers=(*rule.match.headers, version.asked))
    return replace(rule, match=match, version=version)


def check_defaults(rules: Iterable[GatewayRule]) -> Iterator[Problem]:
    """Versions that are asked for alike at one place, and are the default like another one."""
    first: dict[tuple[RequestMatch, str], GatewayRule] = {}
    for rule in rules:
        version = rule.version
        if version is None or not version.default:
            continue
        place = (_without(rule.match, version), version.by)
        other = first.setdefault(place, rule)
        if other is not rule and other.version is not None:
            message = f"version {other.version.name} of {other.key} is the default already"
            yield Problem(codes.TWO_DEFAULTS, message, "", version.policy, ("spec", "default"))


def _without(match: RequestMatch, version: ApiVersion) -> RequestMatch:
    return replace(match, headers=tuple(item for item in match.headers if item != version.asked))


def _read(attached: Attached) -> ApiVersion:
    spec: VersionPolicySpec = attached.spec
    return ApiVersion(
        policy=attached.policy,
        name=spec.version,
        asked=_asked(spec),
        by=_by(spec),
        default=spec.default,
        deprecated_s=_seconds(spec.deprecated),
        sunset_s=_seconds(spec.sunset),
        links=tuple(_links(spec)),
        retired=spec.retired,
    )


def _by(spec: VersionPolicySpec) -> str:
    if spec.header is not None:
        return spec.header.lower()
    return "" if spec.media_type is None else "accept"


def _asked(spec: VersionPolicySpec) -> HeaderCondition | None:
    """The condition by which requests ask for a version.

    Who accepts none of the versions' media types gets the default (RFC 9110, section 12.4.1), so
    that the default has no condition there; routes with one are tried before it.
    """
    if spec.header is not None:
        return HeaderCondition(
            spec.header.lower(), HeaderTest.EXACT, spec.version, or_absent=spec.default
        )
    if spec.media_type is None or spec.default:
        return None
    return HeaderCondition("accept", HeaderTest.REGEX, accepts(spec.media_type))


def accepts(media_type: str) -> str:
    """A regular expression (RE2) for values of `accept` that have a media type among others.

    A type with a weight of 0 is not acceptable (RFC 9110, section 12.4.2).
    """
    return rf"(?i)(?:.*,)?\s*{re2.escape(media_type)}(?:{_PARAMETER})*\s*(?:,.*)?"


def _seconds(milestone: Milestone | None) -> int | None:
    if milestone is None:
        return None
    return int(datetime.fromisoformat(milestone.at).timestamp())


def _links(spec: VersionPolicySpec) -> Iterator[tuple[str, str]]:
    for relation, address in (
        ("deprecation", spec.deprecated.link if spec.deprecated else None),
        ("sunset", spec.sunset.link if spec.sunset else None),
        ("successor-version", spec.successor),
    ):
        if address is not None:
            yield relation, address
