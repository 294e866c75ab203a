"""What there is while a request is answered: one transaction, at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from pointsman.access.masterkey import MasterKey
from pointsman.graph.model.access import Consumer
from pointsman.graph.model.authorization_server import AuthorizationServer
from pointsman.oauth.keys import ServerKeys
from pointsman.resources.key import Key


@dataclass(frozen=True, slots=True)
class Work:
    """A request's surroundings.

    Attributes:
        connection: its transaction.
        server: the authorization server.
        consumers: who there is.
        keys: what tokens are signed and checked with.
        master: makes digests.
        now: the time.
    """

    connection: sa.Connection
    server: AuthorizationServer
    consumers: Mapping[Key, Consumer]
    keys: ServerKeys
    master: MasterKey
    now: datetime

    def groups(self, subject: str) -> tuple[str, ...]:
        """Groups of a consumer, by its path."""
        found = self.consumers.get(Key("Consumer", *subject.split("/", 1)))
        return () if found is None else found.groups

    def is_known(self, subject: str) -> bool:
        """Whether there is a consumer of a path."""
        return Key("Consumer", *subject.split("/", 1)) in self.consumers
