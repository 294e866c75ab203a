"""Consumers that no file declares: kept in the database, and read from there like a manifest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import yaml

from pointsman.access.credentials import Credentials
from pointsman.access.schema import CONSUMER
from pointsman.errors import RefusedError
from pointsman.resources.key import Key
from pointsman.resources.kinds.registry import POINTSMAN
from pointsman.state.database import Change, Database

SOURCE: Final = "~state/consumers"
"""The name of this source of resources, where files have their path. It sorts behind all of them,
so that what a file declares comes first."""


@dataclass(frozen=True, slots=True)
class KeptConsumer:
    """A consumer in the database.

    Attributes:
        key: the consumer.
        spec: what a manifest has as its spec.
        version: grows with every change; whoever changes it says which one was seen.
        created_at: when it was made.
        changed_at: when it was changed last.
    """

    key: Key
    spec: Mapping[str, Any]
    version: int
    created_at: datetime
    changed_at: datetime


class Consumers:
    """Consumers in a database.

    Args:
        database: where they are.
        credentials: ends with their consumer.
    """

    def __init__(self, database: Database, credentials: Credentials) -> None:
        self._database = database
        self._credentials = credentials

    async def create(self, key: Key, spec: Mapping[str, Any], actor: str) -> KeptConsumer:
        """Makes a consumer, whose spec was found good.

        Raises:
            RefusedError: there is one of that name.
        """
        async with self._database.changing(actor) as change:
            if await _find(change, key) is not None:
                raise RefusedError(f"{key} is there already")
            row = {
                "namespace": key.namespace,
                "name": key.name,
                "version": 1,
                "spec": dict(spec),
                "created_at": change.at,
                "changed_at": change.at,
            }
            await change.connection.execute(CONSUMER.insert(), row)
            await change.audit("create", "Consumer", key.path, {"spec": dict(spec)})
            return KeptConsumer(key, spec, 1, change.at, change.at)

    async def replace(
        self, key: Key, spec: Mapping[str, Any], actor: str, version: int | None = None
    ) -> KeptConsumer:
        """Gives a consumer another spec, which was found good.

        Args:
            key: the consumer.
            spec: the spec.
            actor: who asks for it.
            version: the version that was seen; None for whatever there is.

        Raises:
            RefusedError: there is none, or it has changed since.
        """
        async with self._database.changing(actor) as change:
            found = await _existing(change, key)
            if version not in (None, found.version):
                message = f"{key} has changed: it is at version {found.version}, not {version}"
                raise RefusedError(message, hint="look at it again", status=412)
            values = {"spec": dict(spec), "version": found.version + 1, "changed_at": change.at}
            await change.connection.execute(CONSUMER.update().where(*_is(key)).values(values))
            await change.audit("replace", "Consumer", key.path, {"spec": dict(spec)})
            return KeptConsumer(key, spec, found.version + 1, found.created_at, change.at)

    async def delete(self, key: Key, actor: str) -> int:
        """Removes a consumer and revokes its credentials; the number of those.

        Raises:
            RefusedError: there is none.
        """
        async with self._database.changing(actor) as change:
            await _existing(change, key)
            revoked = await self._credentials.revoke_all(change, key)
            await change.connection.execute(CONSUMER.delete().where(*_is(key)))
            await change.audit("delete", "Consumer", key.path, {"credentials": revoked})
            return revoked

    async def get(self, key: Key) -> KeptConsumer | None:
        """A consumer; None when it is not kept here."""
        async with self._database.reading() as connection:
            row = (await connection.execute(sa.select(CONSUMER).where(*_is(key)))).first()
        return None if row is None else _kept(row)

    async def all(self) -> tuple[KeptConsumer, ...]:
        """All of them, by namespace and name."""
        query = sa.select(CONSUMER).order_by(CONSUMER.c.namespace, CONSUMER.c.name)
        async with self._database.reading() as connection:
            return tuple(map(_kept, await connection.execute(query)))


def as_manifests(consumers: Iterable[KeptConsumer]) -> str:
    """Consumers as the text of a source of resources."""
    documents = [
        {
            "apiVersion": POINTSMAN.api_version,
            "kind": "Consumer",
            "metadata": {"name": item.key.name, "namespace": item.key.namespace},
            "spec": dict(item.spec),
        }
        for item in consumers
    ]
    return yaml.dump_all(documents, Dumper=yaml.CSafeDumper, sort_keys=False)


def _is(key: Key) -> tuple[sa.ColumnElement[bool], ...]:
    return CONSUMER.c.namespace == key.namespace, CONSUMER.c.name == key.name


async def _find(change: Change, key: Key) -> KeptConsumer | None:
    row = (await change.connection.execute(sa.select(CONSUMER).where(*_is(key)))).first()
    return None if row is None else _kept(row)


async def _existing(change: Change, key: Key) -> KeptConsumer:
    found = await _find(change, key)
    if found is None:
        raise RefusedError(f"{key} is not kept here", status=404)
    return found


def _kept(row: Any) -> KeptConsumer:
    key = Key("Consumer", row.namespace, row.name)
    return KeptConsumer(key, row.spec, row.version, row.created_at, row.changed_at)
