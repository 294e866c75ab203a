"""Tables of credentials: from what a request has to who calls.

Envoy looks a credential up in a hash table and forwards what stands beside it, the principal. A
table is a resource of its own (ECDS), so that a key that is issued or revoked changes nothing
else. There are three, because a key must not be taken for a password: a credential is found in
the table of its kind only.

Translation sends the tables of keys and passwords empty, which turns everybody away; whoever
keeps the secrets puts in filled ones of the same names.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from pointsman.envoy import names, pb
from pointsman.envoy.config_source import ADS
from pointsman.envoy.matchers import Fields
from pointsman.envoy.node_class import Wire
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import TYPE_PREFIX, Sealed
from pointsman.graph.model.access import Consumer, principal
from pointsman.resources.key import Key

KEYS: Final = "pointsman.keys"
PASSWORDS: Final = "pointsman.passwords"
SUBJECTS: Final = "pointsman.subjects"
_TYPE = TYPE_PREFIX + pb.ApiKeyAuth.DESCRIPTOR.full_name
_NOWHERE = ({"header": "x-pointsman-nowhere"},)
"""Envoy wants a place; every row of the route table names its own."""
_EMPTY: Final = pb.ApiKeyAuth(key_sources=_NOWHERE)


def table_filter(name: str, wire: Wire) -> Fields:
    """The filter of a table, which rows of the route table switch on."""
    fields: Fields = {"name": name, "disabled": True}
    if wire == "static":
        fields["typed_config"] = pb.pack(_EMPTY)
    else:
        fields["config_discovery"] = {"config_source": ADS, "type_urls": [_TYPE]}
    return fields


def table_of_row(place: Fields, *, hide: bool) -> pb.Message:
    """What a row says of its table.

    Args:
        place: `KeySource` of the credential.
        hide: whether the credential is taken out of the request.
    """
    forwarding = {"header": names.PRINCIPAL_HEADER, "hide_credentials": hide}
    return pb.ApiKeyAuthPerRoute(key_sources=[place], forwarding=forwarding)


def sealed_entry(credential: str, who: str) -> bytes:
    """A credential and its principal, as they stand in a table.

    Bytes of a message one behind the other are the message with all their fields, so that a table
    that changes in one place is not made anew in all others (protobuf, "Encoding").
    """
    return bytes(
        pb.ApiKeyAuth(credentials=[{"key": credential, "client": who}]).SerializeToString()
    )


def sealed_table(name: str, entries: Iterable[bytes], keys: Iterable[Key] = ()) -> Sealed:
    """A table.

    Args:
        name: KEYS, PASSWORDS or SUBJECTS.
        entries: what `sealed_entry` made; each credential once.
        keys: objects it was made from.
    """
    value = b"".join((*entries, _EMPTY.SerializeToString()))
    table = pb.Packed(type_url=_TYPE, value=value)
    return seal(pb.TypedExtensionConfig(name=name, typed_config=table), keys)


def subjects(consumers: Mapping[Key, Consumer]) -> list[tuple[str, str]]:
    """What tokens and certificates say of themselves, with who that is.

    One that two consumers claim is nobody's.
    """
    found: dict[str, list[str]] = {}
    for consumer in consumers.values():
        for name in consumer.certificates:
            found.setdefault(certificate_subject(name), []).append(
                principal(consumer, "certificate")
            )
        for issuer, value in consumer.tokens:
            found.setdefault(token_subject(issuer, value), []).append(principal(consumer, "token"))
    return [(subject, who[0]) for subject, who in sorted(found.items()) if len(who) == 1]


def certificate_subject(name: str) -> str:
    """What a certificate with a name is found under."""
    return f"certificate {name}"


def token_subject(issuer: str, value: str) -> str:
    """What a token of an issuer is found under, by the value of a claim."""
    return f"{issuer} {value}"
