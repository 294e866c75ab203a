"""Rules of BackendPolicy."""

from collections.abc import Iterator

from pointsman.resources.codes import fields as codes
from pointsman.resources.kinds.backend_policy import BackendPolicySpec
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC, one_of
from pointsman.resources.rules.headers import header_name
from pointsman.resources.rules.targets import check_targets

_HASHING = ("RING_HASH", "MAGLEV")
_FILLING = ("ROUND_ROBIN", "LEAST_REQUEST")


def check(resource: Resource[BackendPolicySpec]) -> Iterator[Problem]:
    """Targets, and blocks that go with the algorithm."""
    key, spec = resource.key, resource.spec
    yield from check_targets(resource)
    sticky, algorithm = spec.stickiness, spec.algorithm
    where: FieldPath = (*SPEC, "algorithm")
    if sticky is not None:
        path: FieldPath = (*SPEC, "stickiness")
        ways = {"cookie": sticky.cookie, "header": sticky.header, "source": sticky.source}
        yield from one_of(key, path, ways)
        if sticky.cookie is not None:
            yield from header_name(key, (*path, "cookie", "name"), sticky.cookie.name)
        if sticky.header is not None:
            yield from header_name(key, (*path, "header"), sticky.header)
        if algorithm is not None and algorithm not in _HASHING:
            message = f"{show_path(where)} is {algorithm}, which keeps no request at its endpoint"
            hint = "stickiness needs RING_HASH or MAGLEV"
            yield Problem(codes.DEPENDENT_FIELD, message, hint, key, where)
    elif algorithm in _HASHING:
        message = f"{show_path(where)} is {algorithm}, which needs stickiness: what to hash"
        yield Problem(codes.DEPENDENT_FIELD, message, "", key, where)
    if spec.slow_start is not None and (sticky or algorithm not in (None, *_FILLING)):
        path = (*SPEC, "slowStart")
        message = f"{show_path(path)} goes with ROUND_ROBIN and LEAST_REQUEST"
        yield Problem(codes.DEPENDENT_FIELD, message, "", key, path)
    for field, time in (
        ("slowStart", spec.slow_start.window if spec.slow_start else None),
        ("connectTimeout", spec.connect_timeout),
    ):
        if time is not None and time.ms == 0:
            path = (*SPEC, field, "window") if field == "slowStart" else (*SPEC, field)
            message = f"{show_path(path)} is 0; it takes some time"
            yield Problem(codes.EMPTY_RANGE, message, "", key, path)
