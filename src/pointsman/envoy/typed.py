"""Extensions of Envoy whose messages the protobuf package lacks, as `TypedStruct`.

A misspelt field in one would be a line in Envoy's log; tests run Envoys with
`--reject-unknown-dynamic-fields`, so that there it is an error. One builder each, which goes when
the package has the message.
"""

from typing import Final

from pointsman.envoy import pb

_TYPES: Final = "type.googleapis.com/envoy.extensions."


def body_size_limit(max_bytes: int) -> pb.Message:
    """`filters.http.body_size_limit.v3.BodySizeLimit`."""
    return _struct("filters.http.body_size_limit.v3.BodySizeLimit", max_request_bytes=max_bytes)


def _struct(name: str, **values: int) -> pb.Message:
    # JSON has 64-bit integers as text.
    fields = {key: str(value) for key, value in values.items()}
    return pb.pack(pb.TypedStruct(type_url=f"{_TYPES}{name}", value=fields))
