"""A running instance as its administration sees it: what is kept, and what files declare."""

from collections.abc import Mapping

from pydantic import TypeAdapter

from pointsman.access.consumers import SOURCE
from pointsman.api.admin.kept import Declared
from pointsman.app.access import Kept
from pointsman.app.plane import ControlPlane
from pointsman.app.revisions import Revisions
from pointsman.graph.model.authorization_server import AuthorizationServer
from pointsman.limits.server import LimitServer
from pointsman.observe.objects import ObjectStatus
from pointsman.resources.key import Key
from pointsman.resources.kinds.consumer import ConsumerSpec

_SPEC = TypeAdapter(ConsumerSpec)


class Administration:
    """What the administration asks.

    Args:
        plane: what is administered.
    """

    def __init__(self, plane: ControlPlane) -> None:
        self._access = plane.features.access
        self._issuers = plane.features.issuers
        self._limits = plane.features.limits.server
        self._store = plane.store
        self._objects = plane.objects
        self._revisions = plane.revisions

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
