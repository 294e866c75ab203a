"""Signed tokens: `jwt_authn`, with one provider for each token method of any policy.

Each provider is a requirement of the same name; a row of the route table names the one it has.
The payload is left in dynamic metadata, where rules find claims.
"""

from collections.abc import Iterable
from typing import Final

from pointsman.envoy import names, pb
from pointsman.envoy.actions import duration
from pointsman.envoy.matchers import Fields
from pointsman.envoy.outside import outside_cluster_name
from pointsman.graph.model.methods import GivenKeys, IssuedKeys, RemoteKeys, TokenMethod

NAME: Final = "pointsman.tokens"
METADATA: Final = "envoy.filters.http.jwt_authn"
PAYLOAD: Final = "token"
"""Where the payload is in the metadata."""
_BEARER: Final = "Bearer "
_NOBODY: Final = (
    '{"keys":[{"kty":"EC","crv":"P-256","kid":"nobody","alg":"ES256",'
    '"x":"JyhVXHcbPLMh_qqmXda1bajx76rLvRuBmb7K0_CkLBU",'
    '"y":"G1sEypjxnZZ5-hk6osonabfGYBTNVH4xlL40KUl-yMM"}]}'
)
"""Stands where keys are put in later, since Envoy takes no empty set.

Nobody can sign by it: its x is the SHA-256 of `pointsman: nobody's key 0`, so that no private key
was ever chosen.
"""
_CACHED: Final = 1_000
"""Tokens whose signature each worker remembers; their times are looked at for every request.

Only with keys at hand, for these change with the configuration. Envoy would go on to take a
remembered token after its key has vanished from a URL.
"""


def token_filter(methods: Iterable[TokenMethod]) -> Fields:
    """The filter with all providers, which rows of the route table switch on."""
    return {"name": NAME, "disabled": True, "typed_config": pb.pack(providers(methods))}


def providers(methods: Iterable[TokenMethod]) -> pb.Message:
    """`JwtAuthentication` of some methods."""
    ordered = sorted(methods, key=lambda method: method.name)
    return pb.JwtAuthn(
        providers={method.name: _provider(method) for method in ordered},
        requirement_map={method.name: {"provider_name": method.name} for method in ordered},
        # What is wrong with a token is the caller's business, not that of whoever guesses.
        strip_failure_response=False,
    )


def token_of_row(method: TokenMethod) -> pb.Message:
    """What a row demands."""
    return pb.JwtAuthnPerRoute(requirement_name=method.name)


def _provider(method: TokenMethod) -> Fields:
    places = method.places
    headers = [_header(name) for name in places.headers]
    claims = [
        {"claim_name": claim, "header_name": header} for claim, header in method.claim_headers
    ]
    if method.consumer_claim is not None:
        subject = {"claim_name": method.consumer_claim, "header_name": names.SUBJECT_HEADER}
        claims.append(subject)
    fields: Fields = {
        "issuer": method.issuer,
        "audiences": list(method.audiences),
        "forward": method.keep,
        "from_headers": headers,
        "from_params": list(places.query),
        "from_cookies": list(places.cookies),
        "payload_in_metadata": PAYLOAD,
        "normalize_payload_in_metadata": {"space_delimited_claims": ["scope", "scp"]},
        "clock_skew_seconds": method.skew_s,
        "require_expiration": True,
        "claim_to_headers": claims,
        **_keys(method.keys),
    }
    return fields


def _header(name: str) -> Fields:
    if name == "authorization":
        return {"name": name, "value_prefix": _BEARER}
    return {"name": name}


def _keys(keys: RemoteKeys | GivenKeys | IssuedKeys) -> Fields:
    if isinstance(keys, IssuedKeys):
        return _at_hand({"inline_string": _NOBODY})
    if isinstance(keys, GivenKeys):
        return _at_hand({"filename": keys.file} if keys.file else {"inline_string": keys.inline})
    uri = {
        "uri": keys.url,
        "cluster": outside_cluster_name(keys.url, keys.ca_file),
        "timeout": duration(keys.timeout_ms),
    }
    fields: Fields = {"http_uri": uri, "cache_duration": duration(keys.cache_ms)}
    if keys.keep:
        # Fetched ahead of time, in the background, the keys of last time stay in use.
        fields["async_fetch"] = {"failed_refetch_duration": duration(1_000)}
    return {"remote_jwks": fields}


def _at_hand(source: Fields) -> Fields:
    return {"local_jwks": source, "jwt_cache_config": {"jwt_cache_size": _CACHED}}
