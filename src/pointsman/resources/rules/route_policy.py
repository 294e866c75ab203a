"""Rules of RoutePolicy."""

import re
from collections.abc import Iterator

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.route_policy import (
    Cohort,
    Cors,
    Fault,
    HeaderChange,
    Retry,
    RoutePolicySpec,
)
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC, one_of, unique
from pointsman.resources.rules.headers import changed_header, header_name
from pointsman.resources.rules.targets import check_targets
from pointsman.resources.words import shown

_ORIGIN = re.compile(r"(\*|null|[a-z][a-z0-9+.-]*://[^/?#\s]+)\Z")


def check(resource: Resource[RoutePolicySpec]) -> Iterator[Problem]:
    """Targets, names of headers, and blocks that say something."""
    key, spec = resource.key, resource.spec
    yield from check_targets(resource)
    if spec.retry is not None:
        yield from _retry(key, (*SPEC, "retry"), spec.retry)
    if spec.cohort is not None:
        yield from check_cohort(key, (*SPEC, "cohort"), spec.cohort)
    if spec.request_headers is not None:
        yield from _change(key, (*SPEC, "requestHeaders"), spec.request_headers)
    if spec.response_headers is not None:
        yield from _change(key, (*SPEC, "responseHeaders"), spec.response_headers)
    if spec.fault is not None:
        yield from _fault(key, (*SPEC, "fault"), spec.fault)
    if spec.cors is not None:
        yield from _cors(key, (*SPEC, "cors"), spec.cors)


def _retry(key: Key, path: FieldPath, retry: Retry) -> Iterator[Problem]:
    events = (*retry.http_retry_events, *retry.tcp_retry_events, *retry.grpc_retry_events)
    if retry.max_retries and not events and not retry.status_codes:
        message = f"{show_path(path)} names no event and no status: nothing is tried again"
        hint = "for example httpRetryEvents: [gateway-error]"
        yield Problem(codes.DEPENDENT_FIELD, message, hint, key, path)


def check_cohort(key: Key, path: FieldPath, cohort: Cohort) -> Iterator[Problem]:
    """One way to tell callers apart, by a name that headers and cookies can have."""
    ways = {"header": cohort.header, "cookie": cohort.cookie, "source": cohort.source}
    yield from one_of(key, path, ways)
    for field in ("header", "cookie"):
        name = ways[field]
        if name is not None:
            yield from header_name(key, (*path, field), name)


def _change(key: Key, path: FieldPath, change: HeaderChange) -> Iterator[Problem]:
    for field in ("set", "add"):
        for index, header in enumerate(getattr(change, field)):
            yield from changed_header(key, (*path, field, index, "name"), header.name)
    for index, name in enumerate(change.remove):
        yield from changed_header(key, (*path, "remove", index), name)
    names = [header.name.lower() for header in change.set]
    yield from unique(key, (*path, "set"), ("name",), names, "name")


def _fault(key: Key, path: FieldPath, fault: Fault) -> Iterator[Problem]:
    if fault.delay is None and fault.abort is None:
        message = f"{show_path(path)} needs delay, abort or both"
        yield Problem(codes.ONE_OF, message, "", key, path)
    if fault.delay is not None and fault.delay.duration.ms == 0:
        where: FieldPath = (*path, "delay", "duration")
        message = f"{show_path(where)} is 0, which is no delay"
        yield Problem(codes.EMPTY_RANGE, message, "", key, where)
    if fault.abort is not None:
        statuses = {"httpStatus": fault.abort.http_status, "grpcStatus": fault.abort.grpc_status}
        yield from one_of(key, (*path, "abort"), statuses)


def _cors(key: Key, path: FieldPath, cors: Cors) -> Iterator[Problem]:
    for index, origin in enumerate(cors.allow_origins):
        if not _ORIGIN.match(origin):
            where: FieldPath = (*path, "allowOrigins", index)
            message = f"{show_path(where)} is {shown(origin)}, not an origin"
            hint = "an origin is scheme, host and port, such as https://app.example:8443"
            yield Problem(codes.BAD_FORMAT, message, hint, key, where)
    for field, names in (
        ("allowMethods", cors.allow_methods),
        ("allowHeaders", cors.allow_headers),
        ("exposeHeaders", cors.expose_headers),
    ):
        for index, name in enumerate(names):
            yield from header_name(key, (*path, field, index), name)
