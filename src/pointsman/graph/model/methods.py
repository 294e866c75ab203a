"""Ways to prove who one is, as an AccessPolicy has them, and servers that decide."""

from dataclasses import dataclass
from typing import Final

from pointsman.resources.key import Key

LOGIN_COOKIES: Final = "__Host-pm-"
"""How the names of all cookies of sessions begin.

Browsers take cookies of this prefix from the host itself only, over TLS, for all of its paths
(RFC 6265bis, section 4.1.3.2), so that no neighbour can plant a session.
"""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a credential may be in a request.

    Attributes:
        headers: lower-case names of headers.
        query: names of query parameters.
        cookies: names of cookies.
    """

    headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyMethod:
    """An API key.

    Attributes:
        places: where it may be.
        keep: whether the backend sees it.
    """

    places: Places
    keep: bool = False


@dataclass(frozen=True, slots=True)
class PasswordMethod:
    """User name and password.

    Attributes:
        realm: what browsers show.
        keep: whether the backend sees them.
    """

    realm: str
    keep: bool = False


@dataclass(frozen=True, slots=True)
class CertificateMethod:
    """A client certificate."""


@dataclass(frozen=True, slots=True)
class RemoteKeys:
    """Public keys that proxies fetch.

    Attributes:
        url: where from.
        cache_ms: how long they are good, in ms.
        timeout_ms: how long fetching may take, in ms.
        keep: whether they stay in use when they cannot be fetched anew.
        ca_file: authorities the server is checked against, a file of the proxies' machines.
    """

    url: str
    cache_ms: int
    timeout_ms: int
    keep: bool = False
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class GivenKeys:
    """Public keys that are at hand: a file on the proxies' machines, or the key set itself."""

    file: str | None = None
    inline: str | None = None


@dataclass(frozen=True, slots=True)
class IssuedKeys:
    """Public keys of an authorization server of our own, which come with the configuration.

    Attributes:
        server: the authorization server.
    """

    server: Key


@dataclass(frozen=True, slots=True)
class ClaimCondition:
    """A claim that has one of the values, or is a list with one of them.

    Attributes:
        path: names that lead to it.
        values: the values.
    """

    path: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenMethod:
    """A signed token.

    Attributes:
        name: of the provider, unique among all policies.
        issuer: what `iss` has to be.
        audiences: of which `aud` has to have one; any when empty.
        keys: where the issuer's keys come from.
        places: where the token may be.
        keep: whether the backend sees it.
        skew_s: seconds by which clocks may differ.
        scopes: all of which it has to have.
        claims: conditions, all of which must hold.
        claim_headers: (claim, lower-case header) that the backend gets.
        consumer_claim: claim that names the consumer; None when tokens speak for nobody.
    """

    name: str
    issuer: str
    audiences: tuple[str, ...]
    keys: RemoteKeys | GivenKeys | IssuedKeys
    places: Places
    keep: bool = False
    skew_s: int = 60
    scopes: tuple[str, ...] = ()
    claims: tuple[ClaimCondition, ...] = ()
    claim_headers: tuple[tuple[str, str], ...] = ()
    consumer_claim: str | None = None


@dataclass(frozen=True, slots=True)
class LoginMethod:
    """A login of browsers at an OpenID provider.

    Attributes:
        token: what ID tokens have to be, in the session's cookie.
        client_id: what the provider knows the gateway as.
        client_secret: file of the client's secret.
        cookie_secret: file of what cookies are signed and encrypted with.
        in_body: whether the client's secret is sent in the body.
        authorize: where browsers log in.
        exchange: where codes become tokens.
        end_session: where browsers are sent after logging out.
        ca_file: authorities of the token endpoint.
        scopes: what is asked for, `openid` first.
        redirect_path: where the provider sends browsers back to.
        logout_path: where browsers log out.
        origin: scheme and host of the gateway; None for those of the request.
        refresh: whether sessions go on by refresh tokens.
        keep: whether the backend sees the access token.
        cookies: how the names of its cookies begin.
    """

    token: TokenMethod
    client_id: str
    client_secret: str
    cookie_secret: str
    in_body: bool
    authorize: str
    exchange: str
    end_session: str | None
    ca_file: str | None
    scopes: tuple[str, ...]
    redirect_path: str
    logout_path: str
    origin: str | None
    refresh: bool
    keep: bool
    cookies: str


@dataclass(frozen=True, slots=True)
class OpaqueMethod:
    """An opaque token, about which the control plane asks.

    Attributes:
        name: of the method, unique among all policies.
        headers: lower-case names of headers it may be in.
        keep: whether the backend sees it.
        url: the introspection endpoint.
        client_id: what the endpoint knows the control plane as.
        client_secret: file of the client's secret, on the control plane's machine.
        issuer: what consumers name as its issuer.
        ca_file: authorities of the endpoint, on the control plane's machine.
        timeout_ms: how long asking may take, in ms.
        cache_ms: how long an answer is good, in ms.
        stale: whether answers that are no longer good count while the endpoint is away.
        audiences: of which `aud` has to have one; any when empty.
        scopes: all of which it has to have.
        claims: conditions, all of which must hold.
        consumer_claim: claim that names the consumer; None when tokens speak for nobody.
    """

    name: str
    headers: tuple[str, ...]
    keep: bool
    url: str
    client_id: str
    client_secret: str
    issuer: str
    ca_file: str | None
    timeout_ms: int
    cache_ms: int
    stale: bool
    audiences: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    claims: tuple[ClaimCondition, ...] = ()
    consumer_claim: str | None = None


Method = KeyMethod | PasswordMethod | CertificateMethod | TokenMethod | OpaqueMethod | LoginMethod
"""A way to prove who one is."""


def tells_consumer(method: Method) -> bool:
    """Whether it is known which consumer calls, once a method has found its credential good."""
    if isinstance(method, LoginMethod):
        return tells_consumer(method.token)
    if isinstance(method, TokenMethod | OpaqueMethod):
        return method.consumer_claim is not None
    return True


@dataclass(frozen=True, slots=True)
class External:
    """A server that decides about requests.

    Attributes:
        name: unique among all policies.
        url: its address.
        grpc: whether it speaks gRPC.
        ca_file: authorities it is checked against.
        timeout_ms: how long an answer may take, in ms.
        open: whether requests pass while it is away.
        headers: lower-case names of headers it sees.
        take_over: lower-case names of headers of its answer that the backend gets.
        max_bytes: bytes of the body it sees; None for none.
        partial: whether longer bodies are cut.
    """

    name: str
    url: str
    grpc: bool
    ca_file: str | None
    timeout_ms: int
    open: bool
    headers: tuple[str, ...]
    take_over: tuple[str, ...]
    max_bytes: int | None = None
    partial: bool = False
