"""Answers as bytes, without building messages: field tags, lengths and sealed bodies joined.

The encoding is protobuf's own (tag, varint length, payload); only length-delimited fields occur.
Field numbers are those of `envoy/service/discovery/v3/discovery.proto`.
"""

from collections.abc import Iterable, Sequence

from pointsman.envoy.sealed import Sealed


def _tag(number: int) -> bytes:
    return bytes(((number << 3) | 2,))


_DELTA_RESOURCE, _DELTA_TYPE, _DELTA_NONCE, _DELTA_REMOVED = _tag(2), _tag(4), _tag(5), _tag(6)
_RESOURCE_VERSION, _RESOURCE_BODY, _RESOURCE_NAME = _tag(1), _tag(2), _tag(3)
_STATE_VERSION, _STATE_RESOURCE, _STATE_TYPE, _STATE_NONCE = _tag(1), _tag(2), _tag(4), _tag(5)


def delta_answer(
    type_url: str, nonce: str, resources: Iterable[Sealed], removed: Iterable[str]
) -> bytes:
    """A serialized `DeltaDiscoveryResponse`."""
    parts = [*_text(_DELTA_TYPE, type_url), *_text(_DELTA_NONCE, nonce)]
    for sealed in resources:
        parts += _framed(_DELTA_RESOURCE, _resource(sealed))
    for name in removed:
        parts += _text(_DELTA_REMOVED, name)
    return b"".join(parts)


def state_answer(type_url: str, nonce: str, version: str, resources: Iterable[Sealed]) -> bytes:
    """A serialized `DiscoveryResponse`."""
    parts = [
        *_text(_STATE_VERSION, version),
        *_text(_STATE_TYPE, type_url),
        *_text(_STATE_NONCE, nonce),
    ]
    for sealed in resources:
        parts += (_STATE_RESOURCE, _varint(len(sealed.body)), sealed.body)
    return b"".join(parts)


def _resource(sealed: Sealed) -> list[bytes]:
    return [
        *_text(_RESOURCE_VERSION, sealed.version),
        _RESOURCE_BODY,
        _varint(len(sealed.body)),
        sealed.body,
        *_text(_RESOURCE_NAME, sealed.name),
    ]


def _framed(tag: bytes, parts: Sequence[bytes]) -> list[bytes]:
    return [tag, _varint(sum(map(len, parts))), *parts]


def _text(tag: bytes, text: str) -> tuple[bytes, bytes, bytes]:
    payload = text.encode()
    return tag, _varint(len(payload)), payload


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)
