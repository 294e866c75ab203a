"""Signed tokens of our own authorization servers: another `jwt_authn`, with keys at hand.

Its configuration is a resource of its own (ECDS), so that a key that is rotated changes nothing
else, and closes no connection. Translation sends it without keys, by which no token is good; who
has the keys puts them in. Tokens go on to be checked while nobody can be asked.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pointsman.envoy import pb
from pointsman.envoy.config_source import ADS
from pointsman.envoy.filters.tokens import providers
from pointsman.envoy.matchers import Fields
from pointsman.envoy.node_class import Wire
from pointsman.envoy.seal import seal, unseal
from pointsman.envoy.sealed import TYPE_PREFIX, Sealed
from pointsman.graph.model.methods import IssuedKeys, TokenMethod
from pointsman.resources.key import Key

NAME: Final = "pointsman.issued"
_TYPE = TYPE_PREFIX + pb.JwtAuthn.DESCRIPTOR.full_name


def is_issued(method: object) -> bool:
    """Whether a method takes tokens of our own."""
    return isinstance(method, TokenMethod) and isinstance(method.keys, IssuedKeys)


def issued_filter(methods: Iterable[TokenMethod], wire: Wire) -> Fields:
    """The filter, which rows of the route table switch on."""
    fields: Fields = {"name": NAME, "disabled": True}
    if wire == "static":
        fields["typed_config"] = pb.pack(providers(methods))
    else:
        fields["config_discovery"] = {"config_source": ADS, "type_urls": [_TYPE]}
    return fields


def sealed_issued(methods: Iterable[TokenMethod], keys: Iterable[Key] = ()) -> Sealed:
    """Its configuration, still without keys.

    Args:
        methods: all methods that take tokens of our own.
        keys: objects it was made from.
    """
    config = pb.TypedExtensionConfig(name=NAME, typed_config=pb.pack(providers(methods)))
    return seal(config, keys)


def with_keys(sealed: Sealed, key_sets: Mapping[str, str]) -> Sealed:
    """The configuration with keys.

    Args:
        sealed: as `sealed_issued` made it.
        key_sets: issuer -> its key set, as JSON.
    """
    config: Any = unseal(sealed)
    filled = pb.JwtAuthn()
    config.typed_config.Unpack(filled)
    for provider in filled.providers.values():
        found = key_sets.get(provider.issuer)
        if found is not None:
            provider.local_jwks.inline_string = found
    config.typed_config.CopyFrom(pb.pack(filled))
    return seal(config, sealed.keys)
