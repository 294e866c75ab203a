"""Ways to prove who one is: from what an AccessPolicy says to what it means."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pointsman.graph.model.authorization_server import AuthorizationServer
from pointsman.graph.model.methods import (
    LOGIN_COOKIES,
    CertificateMethod,
    ClaimCondition,
    External,
    GivenKeys,
    IssuedKeys,
    KeyMethod,
    LoginMethod,
    Method,
    OpaqueMethod,
    PasswordMethod,
    Places,
    RemoteKeys,
    TokenMethod,
)
from pointsman.resources.key import Key
from pointsman.resources.kinds.access_methods import ApiKey, Jwks, Jwt
from pointsman.resources.kinds.access_methods import ClaimCondition as ClaimSpec
from pointsman.resources.kinds.access_policy import AccessMethod
from pointsman.resources.kinds.access_servers import External as ExternalSpec
from pointsman.resources.kinds.access_servers import Introspection, Oidc

_KEY_HEADER: Final = "x-api-key"
_TOKEN_HEADER: Final = "authorization"
_CACHE_MS: Final = 300_000
_TIMEOUT_MS: Final = 5_000
_ASK_MS: Final = 2_000
_ANSWER_MS: Final = 10_000
_DECIDE_MS: Final = 1_000


def read_methods(
    policy: Key, specs: Iterable[AccessMethod], servers: Mapping[Key, AuthorizationServer]
) -> Iterator[Method]:
    """The methods of a policy, in order.

    Args:
        policy: the policy.
        specs: what it says.
        servers: authorization servers it may name.
    """
    for index, spec in enumerate(specs):
        name = f"{policy.path}/{index}"
        if spec.api_key is not None:
            yield KeyMethod(_places(spec.api_key, _KEY_HEADER), spec.api_key.keep)
        elif spec.basic is not None:
            yield PasswordMethod(spec.basic.realm, spec.basic.keep)
        elif spec.certificate is not None:
            yield CertificateMethod()
        elif spec.jwt is not None:
            yield _token(policy, name, spec.jwt, servers)
        elif spec.introspection is not None:
            yield _opaque(name, spec.introspection)
        elif spec.oidc is not None:
            yield _login(policy, name, spec.oidc)


def read_external(policy: Key, spec: ExternalSpec | None) -> External | None:
    """The server that is asked, if any."""
    if spec is None:
        return None
    return External(
        name=policy.path,
        url=spec.grpc or spec.http or "",
        grpc=spec.grpc is not None,
        ca_file=spec.ca_file,
        timeout_ms=spec.timeout.ms if spec.timeout else _DECIDE_MS,
        open=spec.when_away == "allow",
        headers=_lower(spec.headers),
        take_over=_lower(spec.take_over),
        max_bytes=spec.body.max_bytes if spec.body else None,
        partial=spec.body is not None and spec.body.partial,
    )


def read_claim(spec: ClaimSpec) -> ClaimCondition:
    """A condition on a claim."""
    return ClaimCondition(tuple(spec.claim.split(".")), spec.values)


def _lower(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _places(spec: ApiKey | Jwt, usual: str) -> Places:
    headers = tuple(name.lower() for name in spec.headers)
    if not headers and not spec.query and not spec.cookies:
        headers = (usual,)
    return Places(headers, spec.query, spec.cookies)


def server_key(spec: Jwt, policy: Key) -> Key | None:
    """The authorization server that a method names."""
    ref = spec.authorization_server
    if ref is None:
        return None
    return Key("AuthorizationServer", ref.namespace or policy.namespace, ref.name)


def _token(
    policy: Key, name: str, spec: Jwt, servers: Mapping[Key, AuthorizationServer]
) -> TokenMethod:
    own = server_key(spec, policy)
    if own is None:
        keys = _keys(spec.jwks or Jwks())
        return _signed(name, spec, spec.issuer or "", spec.audiences, keys, None)
    server = servers.get(own)
    if server is None:
        # Nobody has a token of nobody.
        return _signed(name, spec, "", spec.audiences, IssuedKeys(own), "client_id")
    audiences = spec.audiences or server.audiences
    return _signed(name, spec, server.issuer, audiences, IssuedKeys(own), "client_id")


def _signed(
    name: str,
    spec: Jwt,
    issuer: str,
    audiences: tuple[str, ...],
    keys: RemoteKeys | GivenKeys | IssuedKeys,
    consumer_claim: str | None,
) -> TokenMethod:
    return TokenMethod(
        name=name,
        issuer=issuer,
        audiences=audiences,
        keys=keys,
        places=_places(spec, _TOKEN_HEADER),
        keep=spec.keep,
        skew_s=spec.clock_skew,
        scopes=spec.scopes,
        claims=tuple(map(read_claim, spec.claims)),
        claim_headers=tuple((item.claim, item.header.lower()) for item in spec.claim_headers),
        consumer_claim=spec.consumer.claim if spec.consumer else consumer_claim,
    )


def _keys(spec: Jwks) -> RemoteKeys | GivenKeys:
    if spec.url is None:
        return GivenKeys(spec.file, spec.inline)
    return RemoteKeys(
        url=spec.url,
        cache_ms=spec.cache_for.ms if spec.cache_for else _CACHE_MS,
        timeout_ms=spec.timeout.ms if spec.timeout else _TIMEOUT_MS,
        keep=spec.outage == "keep",
        ca_file=spec.ca_file,
    )


def _opaque(name: str, spec: Introspection) -> OpaqueMethod:
    return OpaqueMethod(
        name=name,
        headers=_lower(spec.headers) or (_TOKEN_HEADER,),
        keep=spec.keep,
        url=spec.url,
        client_id=spec.client_id,
        client_secret=spec.client_secret.file,
        issuer=spec.issuer or spec.url,
        ca_file=spec.ca_file,
        timeout_ms=spec.timeout.ms if spec.timeout else _ASK_MS,
        cache_ms=spec.cache_for.ms if spec.cache_for else _ANSWER_MS,
        stale=spec.when_away == "stale",
        audiences=spec.audiences,
        scopes=spec.scopes,
        claims=tuple(map(read_claim, spec.claims)),
        consumer_claim=spec.consumer.claim if spec.consumer else None,
    )


def _login(policy: Key, name: str, spec: Oidc) -> LoginMethod:
    cookies = f"{LOGIN_COOKIES}{hashlib.sha256(policy.path.encode()).hexdigest()[:8]}"
    token = TokenMethod(
        name=name,
        issuer=spec.issuer,
        audiences=(spec.client_id,),
        keys=_keys(spec.jwks),
        places=Places(cookies=(f"{cookies}-id",)),
        skew_s=spec.clock_skew,
        claims=tuple(map(read_claim, spec.claims)),
        claim_headers=tuple((item.claim, item.header.lower()) for item in spec.claim_headers),
        consumer_claim=spec.consumer.claim if spec.consumer else None,
    )
    own = f"/.pointsman/{policy.path}"
    return LoginMethod(
        token=token,
        client_id=spec.client_id,
        client_secret=spec.client_secret.file,
        cookie_secret=spec.cookie_secret.file,
        in_body=spec.client_authentication == "body",
        authorize=spec.endpoints.authorization,
        exchange=spec.endpoints.token,
        end_session=spec.endpoints.end_session,
        ca_file=spec.ca_file,
        scopes=("openid", *(scope for scope in spec.scopes if scope != "openid")),
        redirect_path=spec.redirect_path or f"{own}/callback",
        logout_path=spec.logout_path or f"{own}/logout",
        origin=spec.origin.rstrip("/") if spec.origin else None,
        refresh=spec.refresh,
        keep=spec.keep,
        cookies=cookies,
    )
