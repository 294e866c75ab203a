"""What an AuthorizationServer means: who issues tokens, to whom, and where it is asked."""

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from pointsman.resources.key import Key

Algorithm = Literal["ES256", "RS256"]
CLIENT_CREDENTIALS: Final = "client_credentials"
AUTHORIZATION_CODE: Final = "authorization_code"
REFRESH_TOKEN: Final = "refresh_token"
"""Grants by their names in the protocol (RFC 6749)."""
ENDPOINTS: Final = ("authorize", "login", "token", "revoke", "introspect", "jwks")
"""What is answered below `ISSUER/oauth2/`."""
_DISCOVERY: Final = "/.well-known/oauth-authorization-server"


@dataclass(frozen=True, slots=True)
class Client:
    """Who gets tokens.

    Attributes:
        consumer: the consumer.
        grants: ways in which it gets tokens, by their names in the protocol.
        redirects: addresses that browsers are sent back to.
        scopes: scopes it may ask for.
        audiences: audiences it may ask for; the first one is that of tokens for which it asks none.
        public: whether it has no secret.
        introspects: whether it may ask about tokens of others for its audiences.
    """

    consumer: Key
    grants: tuple[str, ...]
    redirects: tuple[str, ...]
    scopes: tuple[str, ...]
    audiences: tuple[str, ...]
    public: bool = False
    introspects: bool = False

    @property
    def id(self) -> str:
        """`NAMESPACE/NAME`: stays the same whatever secrets come and go."""
        return self.consumer.path


@dataclass(frozen=True, slots=True)
class Front:
    """Where an authorization server is asked.

    Attributes:
        server: the authorization server.
        issuer: its address.
    """

    server: Key
    issuer: str

    @property
    def host(self) -> str:
        """The host its clients ask, without port; an IPv6 address in brackets."""
        host = urlsplit(self.issuer).hostname or ""
        return f"[{host}]" if ":" in host else host

    @property
    def path(self) -> str:
        """The path of the issuer; "" for none."""
        return urlsplit(self.issuer).path

    @property
    def discovery(self) -> str:
        """Path of the document that tells all the others (RFC 8414, section 3.1)."""
        return f"{_DISCOVERY}{self.path}"

    @property
    def base(self) -> str:
        """What the paths of endpoints begin with; it ends with a slash."""
        return f"{self.path}/oauth2/"

    @property
    def paths(self) -> tuple[str, ...]:
        """All its paths."""
        return (self.discovery, *(f"{self.base}{name}" for name in ENDPOINTS))


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """Issues tokens.

    Attributes:
        front: where it is asked.
        access_s: how long access tokens are good, in seconds.
        refresh_s: how long a login can be refreshed.
        idle_s: how long a refresh token is good that is not used.
        code_s: how long codes are good.
        session_s: how long browsers stay logged in.
        audiences: what tokens may be for.
        scopes: (name, what it allows) of all scopes.
        algorithm: what new keys sign by.
        rotate_s: how long a key signs.
        clients: who gets tokens, by client id.
        logins: whether people can log in.
    """

    front: Front
    access_s: int
    refresh_s: int
    idle_s: int
    code_s: int
    session_s: int
    audiences: tuple[str, ...]
    scopes: tuple[tuple[str, str], ...]
    algorithm: Algorithm
    rotate_s: int
    clients: tuple[Client, ...]
    logins: bool

    @property
    def key(self) -> Key:
        """The authorization server."""
        return self.front.server

    @property
    def issuer(self) -> str:
        """What tokens have in `iss`."""
        return self.front.issuer

    def client(self, client_id: str) -> Client | None:
        """The client of an id."""
        return next((item for item in self.clients if item.id == client_id), None)
