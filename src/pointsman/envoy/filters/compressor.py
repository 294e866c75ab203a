"""Compression of responses: one filter for each encoding, of which the client's taste picks one."""

from pointsman.envoy import pb
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.listener import Compression

NAME = "envoy.filters.http.compressor"
_LIBRARIES = {"gzip": pb.Gzip, "brotli": pb.Brotli, "zstd": pb.Zstd}


def compressors(compression: Compression) -> list[Fields]:
    """The filters of a listener."""
    return [_compressor(compression, encoding) for encoding in compression.encodings]


def _compressor(compression: Compression, encoding: str) -> Fields:
    common: Fields = {"min_content_length": {"value": compression.min_bytes}}
    if compression.content_types:
        common["content_type"] = compression.content_types
    config = pb.Compressor(
        response_direction_config={"common_config": common},
        compressor_library={
            "name": encoding,
            "typed_config": pb.pack(_LIBRARIES[encoding]()),
        },
    )
    return {"name": f"{NAME}.{encoding}", "typed_config": pb.pack(config)}
