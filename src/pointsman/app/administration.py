"""A running instance as its administration sees it: what is kept, and what files declare."""

from collections.abc import Callable, Mapping

from pydantic import TypeAdapter

from pointsman.access.consumers import SOURCE
from pointsman.api.admin.kept import Declared
from pointsman.app.access import AccessState, Kept
from pointsman.app.issuers import Issuers
from pointsman.app.revisions import Revisions
from pointsman.graph.model.authorization_server import AuthorizationServer
from pointsman.limits.server import LimitServer
from pointsman.observe.objects import ObjectStatus
from pointsman.resources.key import Key
from pointsman.resources.kinds.consumer import ConsumerSpec
from pointsman.resources.store import Store

_SPEC = TypeAdapter(ConsumerSpec)


class Administration:
    """What the administration asks.

    Args:
        access: consumers and credentials that are kept.
        store: everything that was written.
        limits: knows how shared limits stand.
        issuers: authorization servers.
        objects: tells how far each object is.
        revisions: what manifests said.
    """

    def __init__(
        self,
        access: AccessState,
        store: Store,
        limits: LimitServer,
        issuers: Issuers,
        objects: Callable[[], Mapping[Key, ObjectStatus]],
        revisions: Revisions,
    ) -> None:
        self._access = access
        self._issuers = issuers
        self._store = store
        self._limits = limits
        self._objects = objects
        self._revisions = revisions

    @property
    def limits(self) -> LimitServer:
        """Knows how shared limits stand."""
        return self._limits

    async def open(self) -> Kept:
        """The database, opened if it was not."""
        return await self._access.open()

    def poke(self) -> None:
        """Has a look taken at what was changed."""
        self._access.poke()
        self._issuers.poke()

    def servers(self) -> Mapping[Key, AuthorizationServer]:
        """Authorization servers in force, by key."""
        return self._issuers.servers

    @property
    def revisions(self) -> Revisions:
        """What manifests said."""
        return self._revisions

    def objects(self) -> Mapping[Key, ObjectStatus]:
        """How far each object is, by key and in order."""
        return self._objects()

    def place(self, key: Key) -> str:
        """Where an object was written, as `file:line:column`; "" when nobody knows."""
        return self._store.place(key)

    def declared(self) -> Mapping[Key, Declared]:
        """Consumers in force, by key."""
        found = self._store.resources().of("Consumer")
        return {
            key: Declared(
                _SPEC.dump_python(item.spec, mode="json", by_alias=True, exclude_defaults=True),
                "" if item.origin.source == SOURCE else self._store.place(key),
            )
            for key, item in found.items()
        }
