"""Requests that are not taken, whoever sends them.

Bodies have one filter for each length there is a limit of, since the filter knows no routes; rows
of the route table switch on theirs. Methods and paths are rows in front of all others.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pointsman.envoy import pb
from pointsman.envoy.actions import duration
from pointsman.envoy.filters.schemas import schema_uses, schemas_of_row
from pointsman.envoy.matchers import Fields, header_matcher
from pointsman.envoy.typed import body_size_limit
from pointsman.graph.model.hygiene import Admission, BodySchemas, Hygiene, InFlight, RouteHygiene
from pointsman.graph.model.match import HeaderCondition, HeaderTest

BODY: Final = "pointsman.body"
SHEDDING: Final = "pointsman.shedding"
ADMISSION: Final = "pointsman.admission"
CONCURRENCY: Final = "pointsman.concurrency"
_ON: Final = pb.pack(pb.FilterConfig(config={}))
_DOTS: Final = r".*/\.{1,2}(?:;|%3[Bb]).*"
_SLASHES: Final = {
    "reject": "REJECT_REQUEST",
    "unescape": "UNESCAPE_AND_FORWARD",
    "keep": "KEEP_UNCHANGED",
}
_SAMPLES_MS: Final = 100
_BASELINE_S: Final = 60


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """The longest body that a route takes, in bytes; rows need its filter."""

    max_bytes: int

    @property
    def name(self) -> str:
        """Name of the filter."""
        return f"{BODY}/{self.max_bytes}"


def body_filters(limits: Iterable[BodyLimit]) -> list[Fields]:
    """Their filters, which rows of the route table switch on."""
    ordered = sorted(limits, key=lambda limit: limit.max_bytes)
    return [
        {
            "name": limit.name,
            "disabled": True,
            "typed_config": body_size_limit(limit.max_bytes),
        }
        for limit in ordered
    ]


def body_uses(hygiene: RouteHygiene | None) -> Iterator[str | BodyLimit | BodySchemas]:
    """What rows of a route need for bodies."""
    if hygiene is not None and hygiene.max_body_bytes is not None:
        yield from (BODY, BodyLimit(hygiene.max_body_bytes))
    yield from schema_uses(hygiene)


def hygienic(row: Fields, hygiene: RouteHygiene | None) -> Fields:
    """A row with what holds for its requests and their answers."""
    if hygiene is None:
        return row
    fields = dict(row)
    on: dict[str, pb.Message] = {}
    if hygiene.max_body_bytes is not None:
        on[BodyLimit(hygiene.max_body_bytes).name] = _ON
    if hygiene.schemas is not None:
        on.update(schemas_of_row(hygiene.schemas))
    if on:
        fields["typed_per_filter_config"] = {**row.get("typed_per_filter_config", {}), **on}
    removed = [item.name for item in hygiene.answers if item.verb == "remove"]
    if removed:
        already = row.get("response_headers_to_remove", ())
        fields["response_headers_to_remove"] = sorted({*already, *removed})
    added = [*_headers(hygiene)]
    if added:
        fields["response_headers_to_add"] = [*row.get("response_headers_to_add", ()), *added]
    return fields


def _headers(hygiene: RouteHygiene) -> Iterator[Fields]:
    for item in hygiene.answers:
        if item.verb == "set":
            yield _header(item.name, item.value, "OVERWRITE_IF_EXISTS_OR_ADD")
    for name, value in hygiene.defaults:
        yield _header(name, value, "ADD_IF_ABSENT")


def _header(name: str, value: str, action: str) -> Fields:
    return {
        "header": {"key": name, "value": value.replace("%", "%%")},
        "append_action": action,
    }


def refused_methods(row: Fields, hygiene: RouteHygiene | None) -> Iterator[Fields]:
    """Rows in front of one, for methods that its requests may not have.

    Preflight requests, which browsers send by themselves, are left to the row.
    """
    if hygiene is None or not hygiene.methods:
        return
    taken = sorted({*hygiene.methods, "OPTIONS"})
    allow = _header("allow", ", ".join(hygiene.methods), "OVERWRITE_IF_EXISTS_OR_ADD")
    answer = {
        "name": row.get("name", ""),
        "direct_response": {"status": 405},
        "response_headers_to_add": [allow],
    }
    others = HeaderCondition(":method", HeaderTest.REGEX, "|".join(taken), invert=True)
    yield hygienic({**answer, "match": _narrowed(row, others)}, _without_body(hygiene))
    if "OPTIONS" not in hygiene.methods:
        asked = HeaderCondition(":method", HeaderTest.EXACT, "OPTIONS")
        plain = HeaderCondition("access-control-request-method", HeaderTest.PRESENT, invert=True)
        yield hygienic({**answer, "match": _narrowed(row, asked, plain)}, _without_body(hygiene))


def _without_body(hygiene: RouteHygiene) -> RouteHygiene:
    return RouteHygiene(hygiene.policy, None, (), hygiene.answers, hygiene.defaults)


def _narrowed(row: Fields, *conditions: HeaderCondition) -> Fields:
    match = dict(row["match"])
    match["headers"] = [*match.get("headers", ()), *map(header_matcher, conditions)]
    return match


def refused_paths(hygiene: Hygiene | None) -> Iterator[Fields]:
    """The row in front of all others, for paths that servers may read in another way."""
    if hygiene is not None and not hygiene.path_parameters:
        yield {
            "name": "refused",
            "match": {"safe_regex": {"regex": _DOTS}},
            "direct_response": {"status": 400},
        }


def manager_fields(hygiene: Hygiene | None, *, edge: bool) -> Fields:
    """Fields of `HttpConnectionManager`.

    Args:
        hygiene: what is taken.
        edge: whether clients connect to it themselves.
    """
    if hygiene is None:
        return {}
    fields: Fields = {
        "path_with_escaped_slashes_action": _SLASHES[hygiene.escaped_slashes],
        "common_http_protocol_options": {},
    }
    if hygiene.headers_kib is not None:
        fields["max_request_headers_kb"] = {"value": hygiene.headers_kib}
    if hygiene.headers is not None:
        count = {"max_headers_count": {"value": hygiene.headers}}
        fields["common_http_protocol_options"] = count
    for name, value in (
        ("request_headers_timeout", hygiene.headers_ms),
        ("request_timeout", hygiene.request_ms),
        ("stream_idle_timeout", hygiene.idle_ms),
    ):
        if value is not None:
            fields[name] = duration(value)
    if hygiene.trusted_hops and edge:
        fields["xff_num_trusted_hops"] = hygiene.trusted_hops
    if any(item.name == "server" for item in hygiene.routes.answers):
        fields["server_header_transformation"] = "PASS_THROUGH"
    return fields


def connection_filters(hygiene: Hygiene | None, stat_prefix: str) -> list[Fields]:
    """Network filters in front of the connection manager."""
    if hygiene is None or hygiene.connections is None:
        return []
    config = pb.ConnectionLimit(
        stat_prefix=stat_prefix, max_connections={"value": hygiene.connections}
    )
    name = "envoy.filters.network.connection_limit"
    return [{"name": name, "typed_config": pb.pack(config)}]


def shedding_uses(hygiene: Hygiene | None) -> Iterator[str | Hygiene]:
    """What a listener needs to turn requests away while there is too much of them."""
    if hygiene is not None and (hygiene.admission or hygiene.in_flight):
        yield from (SHEDDING, hygiene)


def shedding_filters(hygiene: Hygiene) -> list[Fields]:
    """The filters."""
    found: list[Fields] = []
    if hygiene.admission is not None:
        found.append({"name": ADMISSION, "typed_config": pb.pack(_admission(hygiene.admission))})
    if hygiene.in_flight is not None:
        config = pb.pack(_in_flight(hygiene.in_flight))
        found.append({"name": CONCURRENCY, "typed_config": config})
    return found


def _admission(item: Admission) -> pb.Message:
    return pb.AdmissionControl(
        enabled={"default_value": {"value": True}},
        sampling_window=duration(1000 * item.window_s),
        sr_threshold={"default_value": {"value": item.success}, "runtime_key": f"{ADMISSION}.sr"},
        max_rejection_probability={
            "default_value": {"value": item.most},
            "runtime_key": f"{ADMISSION}.most",
        },
        success_criteria={
            "http_criteria": {"http_success_status": [{"start": 100, "end": 500}]},
            "grpc_criteria": {"grpc_success_status": _GRPC_SUCCESS},
        },
    )


_GRPC_SUCCESS: Final = (0, 1, 3, 5, 6, 7, 9, 10, 11, 12, 16)
"""All but those that tell of an overloaded or broken server (gRPC's `statuscodes.md`)."""


def _in_flight(item: InFlight) -> pb.Message:
    return pb.AdaptiveConcurrency(
        enabled={"default_value": {"value": True}, "runtime_key": f"{CONCURRENCY}.enabled"},
        gradient_controller_config={
            "sample_aggregate_percentile": {"value": item.percentile},
            "concurrency_limit_params": {
                "max_concurrency_limit": {"value": item.most},
                "concurrency_update_interval": duration(_SAMPLES_MS),
            },
            "min_rtt_calc_params": {
                "interval": duration(1000 * _BASELINE_S),
                "request_count": {"value": 50},
                "jitter": {"value": 10},
            },
        },
    )
