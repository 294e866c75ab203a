"""Extensions of Envoy whose messages the protobuf package lacks, as `TypedStruct`.

A misspelt field in one would be a line in Envoy's log; tests run Envoys with
`--reject-unknown-dynamic-fields`, so that there it is an error. One builder each, which goes when
the package has the message.
"""

from collections.abc import Mapping
from typing import Any, Final

from pointsman.envoy import pb

_TYPES: Final = "type.googleapis.com/envoy.extensions."
Fields = Mapping[str, Any]


def body_size_limit(max_bytes: int) -> pb.Message:
    """`filters.http.body_size_limit.v3.BodySizeLimit`."""
    # JSON has 64-bit integers as text.
    fields = {"max_request_bytes": str(max_bytes)}
    return _struct("filters.http.body_size_limit.v3.BodySizeLimit", fields)


def counting_log(scope: Fields, counters: list[Fields], histograms: list[Fields]) -> pb.Message:
    """`access_loggers.stats.v3.Config`; the package's own is of a time before `stats_scope`."""
    fields = {"stats_scope": scope, "counters": counters, "histograms": histograms}
    return _struct("access_loggers.stats.v3.Config", fields)


def _struct(name: str, fields: Fields) -> pb.Message:
    return pb.pack(pb.TypedStruct(type_url=f"{_TYPES}{name}", value=fields))
