"""Rules of RateLimitPolicy."""

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.rate_limit_policy import (
    Cost,
    Limit,
    LimitKey,
    LimitMatch,
    LimitOverride,
    Quota,
    Rate,
    RateLimitPolicySpec,
)
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules import matching
from pointsman.resources.rules.access_policy import path_rule
from pointsman.resources.rules.common import SPEC, one_of, unique
from pointsman.resources.rules.headers import header_name
from pointsman.resources.rules.targets import check_targets
from pointsman.resources.rules.urls import server
from pointsman.resources.words import shown

_OF_CALLERS = ("consumer", "credential", "groups", "claim")
"""Keys that are known only once it is known who calls."""

_KEYS = (*_OF_CALLERS, "ip", "header", "path", "route")
_V4_BITS = 32
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z")


def check(resource: Resource[RateLimitPolicySpec]) -> Iterator[Problem]:
    """Targets and limits."""
    key, limits = resource.key, resource.spec.limits
    yield from check_targets(resource)
    for index, limit in enumerate(limits):
        yield from _limit(key, (*SPEC, "limits", index), limit)
    yield from unique(key, (*SPEC, "limits"), ("name",), (item.name for item in limits), "name")
    telling = [index for index, item in enumerate(limits) if item.headers != "none"]
    for index in telling[1:]:
        where: FieldPath = (*SPEC, "limits", index, "headers")
        message = f"{show_path(where)}: limit {limits[telling[0]].name} has the headers already"
        hint = "one limit of a policy may tell how much is left"
        yield Problem(codes.DEPENDENT_FIELD, message, hint, key, where)


def _limit(key: Key, path: FieldPath, limit: Limit) -> Iterator[Problem]:
    if not _NAME.match(limit.name):
        where: FieldPath = (*path, "name")
        message = f"{show_path(where)} is {shown(limit.name)}"
        hint = "use lower-case letters, digits and `-`"
        yield Problem(codes.BAD_NAME, message, hint, key, where)
    ways = {"rate": limit.rate, "quota": limit.quota, "external": limit.external}
    yield from one_of(key, path, ways)
    for index, item in enumerate(limit.by):
        yield from _by(key, (*path, "by", index), item)
    yield from unique(key, (*path, "by"), (), map(_word, limit.by), "key")
    yield from _allowance(key, path, limit.rate, limit.quota, limit.cost)
    if limit.external is not None:
        yield from server(key, (*path, "external", "address"), limit.external.address)
    for index, override in enumerate(limit.overrides):
        yield from _override(key, (*path, "overrides", index), override, limit)
    if limit.match is not None:
        yield from _match(key, (*path, "match"), limit.match)
    if limit.cost is not None:
        yield from _cost(key, (*path, "cost"), limit.cost)
    yield from _dependent(key, path, limit)


def _by(key: Key, path: FieldPath, by: LimitKey) -> Iterator[Problem]:
    yield from one_of(key, path, {name: getattr(by, name) for name in _KEYS})
    if by.header is not None:
        yield from header_name(key, (*path, "header", "name"), by.header.name)


def _word(by: LimitKey) -> str:
    """A key with the name in it; keys that differ in nothing else are one."""
    if by.header is not None:
        return f"header {by.header.name.lower()}"
    if by.claim is not None:
        return f"claim {by.claim.name}"
    return next((name for name in _KEYS if getattr(by, name) is not None), "")


def _allowance(
    key: Key, path: FieldPath, rate: Rate | None, quota: Quota | None, cost: Cost | None
) -> Iterator[Problem]:
    if rate is not None and rate.smooth and rate.burst is not None:
        where: FieldPath = (*path, "rate", "burst")
        message = f"{show_path(where)} does not go with smooth, which is a burst of one"
        yield Problem(codes.DEPENDENT_FIELD, message, "keep one of them", key, where)
    most = quota.requests if quota else (rate.burst or rate.requests) if rate else None
    smooth = rate is not None and rate.smooth
    if cost is not None and cost.requests and most and cost.requests > most and not smooth:
        message = f"{show_path(path)}: a request counts as {cost.requests}, of {most} at most"
        hint = "no request would ever pass"
        yield Problem(codes.DEPENDENT_FIELD, message, hint, key, path)
    if quota is not None and not _is_zone(quota.timezone):
        where = (*path, "quota", "timezone")
        message = f"{show_path(where)} is {shown(quota.timezone)}, not a time zone"
        yield Problem(codes.BAD_FORMAT, message, "for example Europe/Rome", key, where)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


def _override(
    key: Key, path: FieldPath, override: LimitOverride, limit: Limit
) -> Iterator[Problem]:
    if not override.consumers and not override.groups:
        message = f"{show_path(path)} needs consumers or groups: whom it is for"
        yield Problem(codes.ONE_OF, message, "", key, path)
    unlimited = True if override.unlimited else None
    ways = {"rate": override.rate, "quota": override.quota, "unlimited": unlimited}
    yield from one_of(key, path, ways)
    yield from _allowance(key, path, override.rate, override.quota, limit.cost)
    for field in ("rate", "quota"):
        if getattr(override, field) is not None and getattr(limit, field) is None:
            where: FieldPath = (*path, field)
            message = f"{show_path(where)} goes with a limit that has a {field}"
            yield Problem(codes.DEPENDENT_FIELD, message, "", key, where)
    if limit.stage == "before":
        message = f"{show_path(path)}: before access nobody knows who calls"
        yield Problem(codes.DEPENDENT_FIELD, message, "use stage: after", key, path)


def _match(key: Key, path: FieldPath, match: LimitMatch) -> Iterator[Problem]:
    for index, item in enumerate(match.paths):
        yield from path_rule(key, (*path, "paths", index), item)
    for index, method in enumerate(match.methods):
        yield from matching.method(key, (*path, "methods", index), method)
    yield from matching.headers(key, (*path, "headers"), match.headers)
    for index, header in enumerate(match.headers):
        if header.match is not None and header.match.range is not None:
            where: FieldPath = (*path, "headers", index, "match", "range")
            message = f"{show_path(where)}: limits compare texts only"
            yield Problem(codes.DEPENDENT_FIELD, message, "use a regex", key, where)


def _cost(key: Key, path: FieldPath, cost: Cost) -> Iterator[Problem]:
    yield from one_of(key, path, {"requests": cost.requests, "header": cost.header})
    if cost.header is not None:
        yield from header_name(key, (*path, "header"), cost.header)


def _dependent(key: Key, path: FieldPath, limit: Limit) -> Iterator[Problem]:
    """Fields that go with some ways to count only."""
    counted = limit.scope == "shared" or limit.quota is not None
    away = counted or limit.external is not None
    wrong: list[tuple[str, str]] = []
    if limit.scope is not None and limit.rate is None:
        wrong.append(("scope", "goes with rate"))
    if limit.cost is not None and counted:
        wrong.append(("cost", "does not go with what proxies count together"))
    if limit.when_away is not None and not away:
        wrong.append(("whenAway", "goes with what somebody else counts, not the proxy itself"))
    if limit.when_away == "local" and limit.external is not None:
        wrong.append(("whenAway", "cannot be local: a service's numbers are not known"))
    if limit.strict and (not counted or limit.when_away not in (None, "deny")):
        wrong.append(("strict", "goes with what proxies count together, and with whenAway deny"))
    if counted and any(item.ip and item.ip.v4_bits != _V4_BITS for item in limit.by):
        wrong.append(("by", "has v4Bits, which proxies that count together do not take"))
    if limit.headers != "none" and counted:
        wrong.append(("headers", "does not go with what proxies count together"))
    if limit.stage == "before":
        found = [name for item in limit.by for name in _OF_CALLERS if getattr(item, name)]
        wrong += [("by", f"has {name}, which nobody knows before access") for name in found[:1]]
    for field, words in wrong:
        where: FieldPath = (*path, field)
        yield Problem(codes.DEPENDENT_FIELD, f"{show_path(where)} {words}", "", key, where)
