"""A client as Authlib asks about it."""

import re
from typing import Any, Final

from authlib.oauth2.rfc6749 import ClientMixin, scope_to_list

from pointsman.access.proof import proves_client
from pointsman.graph.model.authorization_server import AUTHORIZATION_CODE, Client
from pointsman.oauth.work import Work

_LOOPBACK: Final = re.compile(
    r"http://(?P<host>127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?(?P<rest>[/?].*)?\Z"
)


class OAuthClient(ClientMixin):  # type: ignore[misc]
    """A client.

    Args:
        client: what it may do.
        work: where its secrets are.
    """

    def __init__(self, client: Client, work: Work) -> None:
        self.settings = client
        self._work = work

    @property
    def id(self) -> str:
        """Its client id."""
        return self.settings.id

    def get_client_id(self) -> str:
        """Its client id."""
        return self.id

    def get_default_redirect_uri(self) -> None:
        """None: every request has to say where it comes back to (RFC 9700, section 4.1.3)."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The scopes asked for, or all of the client's; None when one is not its own."""
        wanted = dict.fromkeys(scope_to_list(scope or "") or self.settings.scopes)
        return " ".join(wanted) if wanted.keys() <= set(self.settings.scopes) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether browsers may be sent there: exactly, but for the port on loopback."""
        if redirect_uri in self.settings.redirects:
            return True
        found = _LOOPBACK.match(redirect_uri)
        return found is not None and any(
            (known := _LOOPBACK.match(item)) is not None
            and (known["host"], known["rest"]) == (found["host"], found["rest"])
            for item in self.settings.redirects
        )

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether a secret is one of its own."""
        work, consumer = self._work, self.settings.consumer
        return proves_client(work.connection, work.master, consumer, client_secret, work.now)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        """Whether it may prove itself so: a public client by nothing, all others by a secret."""
        return (method == "none") == self.settings.public

    def check_response_type(self, response_type: str) -> bool:
        """Whether it may ask for a code."""
        return response_type == "code" and AUTHORIZATION_CODE in self.settings.grants

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may get tokens so."""
        return grant_type in self.settings.grants


def client_of(work: Work, client_id: Any) -> OAuthClient | None:
    """The client of an id, as long as there is a consumer behind it."""
    found = work.server.client(client_id) if isinstance(client_id, str) else None
    if found is None or found.consumer not in work.consumers:
        return None
    return OAuthClient(found, work)
