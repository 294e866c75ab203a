"""What the administration needs of a running instance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pointsman.access.consumers import Consumers
from pointsman.access.credentials import Credentials
from pointsman.access.masterkey import MasterKey
from pointsman.access.tokens import Tokens
from pointsman.control.history import History
from pointsman.graph.model.authorization_server import AuthorizationServer
from pointsman.limits.server import LimitServer
from pointsman.observe.objects import ObjectStatus
from pointsman.resources.key import Key
from pointsman.state.database import Database


@dataclass(frozen=True, slots=True)
class Declared:
    """A consumer as it is in force.

    Attributes:
        spec: its spec.
        origin: `file:line:column` where it was written; "" for one that is kept in the database.
    """

    spec: Mapping[str, Any]
    origin: str


class Stored(Protocol):
    """An open database, and what is in it."""

    @property
    def database(self) -> Database:
        """The database."""

    @property
    def master(self) -> MasterKey:
        """What closes its secrets."""

    @property
    def consumers(self) -> Consumers:
        """Consumers in it."""

    @property
    def credentials(self) -> Credentials:
        """Credentials in it."""

    @property
    def tokens(self) -> Tokens:
        """Tokens of administrators."""


class Revisions(Protocol):
    """What manifests said, and going back to it."""

    @property
    def history(self) -> History:
        """What was in force, and when."""

    async def go_back(self, number: int, by: str) -> None:
        """Makes an earlier revision count again.

        Raises:
            RefusedError: it is not known, or in force.
        """

    async def release(self, by: str) -> None:
        """Makes files count again.

        Raises:
            RefusedError: no revision is held.
        """


class Administered(Protocol):
    """A running instance."""

    @property
    def limits(self) -> LimitServer:
        """Knows how shared limits stand."""

    async def open(self) -> Stored:
        """Its database.

        Raises:
            StateError: it cannot be opened.
        """

    @property
    def revisions(self) -> Revisions:
        """What manifests said."""

    def objects(self) -> Mapping[Key, ObjectStatus]:
        """How far each object is, by key and in order."""

    def place(self, key: Key) -> str:
        """Where an object was written, as `file:line:column`; "" when nobody knows."""

    def declared(self) -> Mapping[Key, Declared]:
        """Consumers in force, by key."""

    def servers(self) -> Mapping[Key, AuthorizationServer]:
        """Authorization servers in force, by key."""

    def poke(self) -> None:
        """Something in the database was changed."""
