"""What requests are counted by, as descriptors of Envoy's rate limits.

A descriptor that lacks a part is not made at all, and what has no descriptor would not be
counted. So there is a second one for requests that lack a header, the one of who calls among
them: they count under their address.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pointsman.envoy import names, pb
from pointsman.envoy.filters import tokens
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.limits import CountedBy, KeyKind, Limit

HEADER_OF: Final = {
    KeyKind.CONSUMER: names.CONSUMER_HEADER,
    KeyKind.CREDENTIAL: names.CREDENTIAL_HEADER,
    KeyKind.GROUPS: names.GROUPS_HEADER,
}
"""Headers that tell who calls."""
_ATTRIBUTES: Final = {KeyKind.PATH: "request.url_path", KeyKind.ROUTE: "xds.route_name"}
_WITHOUT: Final = "-"
"""The value of a claim that is not there."""
_NUMBER: Final = "[1-9][0-9]{0,8}"
_ADDRESS: Final = CountedBy(KeyKind.IP)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a descriptor.

    Attributes:
        action: `envoy.config.route.v3.RateLimit.Action`.
        key: what it is called.
        value: its value where it has only one.
    """

    action: Fields
    key: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A descriptor.

    Attributes:
        parts: its parts.
        cost: the `hits_addend`; None for one.
    """

    parts: tuple[Part, ...]
    cost: Fields | None = None

    @property
    def rate_limit(self) -> Fields:
        """`envoy.config.route.v3.RateLimit`: how it is made."""
        fields: Fields = {"actions": [part.action for part in self.parts]}
        if self.cost is not None:
            fields["hits_addend"] = self.cost
        return fields

    @property
    def entries(self) -> tuple[tuple[str, str], ...]:
        """(name, value) of each part; "" stands for any value."""
        return tuple((part.key, part.value) for part in self.parts)


def descriptors(limit: Limit) -> Iterator[Descriptor]:
    """Of these each request has one."""
    for parts in _parts(limit):
        yield from _priced(limit, parts)


def _parts(limit: Limit) -> Iterator[tuple[Part, ...]]:
    own = _constant("limit", limit.name)
    yield (own, *map(_part, limit.by))
    headers = [name for name in map(_header, limit.by) if name is not None]
    if headers:
        rest = [item for item in limit.by if _header(item) is None]
        if not any(item.kind is KeyKind.IP for item in rest):
            rest.append(_ADDRESS)
        yield (own, _lacking(headers), *map(_part, rest))


def _priced(limit: Limit, parts: tuple[Part, ...]) -> Iterator[Descriptor]:
    """Two that differ in cost count as one: their parts are the same."""
    if limit.cost_header is None:
        number: Fields = {"number": {"value": limit.cost}}
        yield Descriptor(parts, number if limit.cost > 1 else None)
        return
    for numbered in (True, False):
        match = {"safe_regex": {"regex": _NUMBER}}
        action = {
            "descriptor_key": "cost",
            "descriptor_value": "counted",
            "expect_match": {"value": numbered},
            "headers": [{"name": limit.cost_header, "string_match": match}],
        }
        part = Part({"header_value_match": action}, "cost", "counted")
        cost = {"format": f"%REQ({limit.cost_header})%"} if numbered else None
        yield Descriptor((*parts, part), cost)


def _header(by: CountedBy) -> str | None:
    """The header it is the value of, if it is."""
    return by.name if by.kind is KeyKind.HEADER else HEADER_OF.get(by.kind)


def _constant(key: str, value: str) -> Part:
    return Part({"generic_key": {"descriptor_key": key, "descriptor_value": value}}, key, value)


def _lacking(headers: list[str]) -> Part:
    """Holds for requests that lack one of the headers."""
    action = {
        "descriptor_key": "without",
        "descriptor_value": "key",
        "expect_match": {"value": False},
        "headers": [{"name": name, "present_match": True} for name in headers],
    }
    return Part({"header_value_match": action}, "without", "key")


def _part(by: CountedBy) -> Part:
    header = _header(by)
    if header is not None:
        key = header if by.kind is KeyKind.HEADER else by.kind.value
        return Part({"request_headers": {"header_name": header, "descriptor_key": key}}, key)
    if by.kind is KeyKind.IP:
        masks = {
            "v4_prefix_mask_len": {"value": by.v4_bits},
            "v6_prefix_mask_len": {"value": by.v6_bits},
        }
        return Part({"masked_remote_address": masks}, "masked_remote_address")
    if by.kind is KeyKind.CLAIM:
        return _claim(by.name)
    text = _ATTRIBUTES[by.kind]
    config = pb.ExpressionDescriptor(descriptor_key=by.kind.value, text=text)
    action = {"name": "envoy.rate_limit_descriptors.expr", "typed_config": pb.pack(config)}
    return Part({"extension": action}, by.kind.value)


def _claim(name: str) -> Part:
    path = [{"key": item} for item in (tokens.PAYLOAD, *name.split("."))]
    action = {
        "descriptor_key": name,
        "metadata_key": {"key": tokens.METADATA, "path": path},
        "default_value": _WITHOUT,
        "source": "DYNAMIC",
    }
    return Part({"metadata": action}, name)
