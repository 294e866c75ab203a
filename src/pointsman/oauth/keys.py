"""Keys that tokens are signed with: made, shared, announced, used, and taken away again.

They are in the database, closed by the master key, so that several control planes sign as one. A
key stands in the key set for a while before it signs, because others keep key sets; and after
it, until the last token that it has signed is at its end.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from joserfc.jwk import ECKey, KeySet, RSAKey, import_key

from pointsman.access.masterkey import MasterKey
from pointsman.errors import RefusedError, StateError
from pointsman.graph.model.authorization_server import Algorithm, AuthorizationServer
from pointsman.oauth.schema import KEY
from pointsman.resources.key import Key
from pointsman.state.database import Change, Database

CACHE_S: Final = 300
"""Seconds for which others may keep a key set."""
LEAD: Final = timedelta(seconds=2 * CACHE_S)
"""How long a key is announced before it signs."""
_SKEW: Final = timedelta(seconds=120)
"""By how much clocks of those who check tokens may differ."""
_RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key.

    Attributes:
        id: its `kid`.
        algorithm: what it signs by.
        created_at: when it was made.
        signs_at: when it begins to sign.
        ends_at: when the last token it has signed is at its end; None while it signs, and before.
        state: what it is for now.
    """

    id: str
    algorithm: str
    created_at: datetime
    signs_at: datetime
    ends_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """The keys of an authorization server.

    Attributes:
        signing: the key that signs, alone in a set; None while it cannot be opened.
        algorithm: what it signs by.
        published: all keys that tokens may be signed by.
        text: the same as JSON, without private parts.
    """

    signing: KeySet | None
    algorithm: str
    published: KeySet
    text: str


class Keys:
    """Keys in a database.

    Args:
        database: where they are.
        master: closes them.

    Attributes:
        failures: id -> why it cannot be opened.
    """

    def __init__(self, database: Database, master: MasterKey) -> None:
        self._database = database
        self._master = master
        self._opened: dict[str, Any] = {}
        self._servers: dict[Key, ServerKeys] = {}
        self.failures: dict[str, str] = {}

    def of(self, server: Key) -> ServerKeys | None:
        """The keys of an authorization server, as they were seen last; None when it has none."""
        return self._servers.get(server)

    async def refresh(self, servers: Iterable[AuthorizationServer]) -> bool:
        """Brings what is known up to date, and makes keys where they are due.

        Returns:
            Whether a key set has changed.

        Raises:
            StateError: the database does not answer.
        """
        wanted = tuple(servers)
        rows = await self._rows()
        for server in wanted:
            if _is_due(rows.get(server.key.path, ()), server, self._database.clock()):
                await self._make_due(server)
                rows = await self._rows()
        self.failures = {}
        found = {}
        for server in wanted:
            keys = self._server_keys(rows.get(server.key.path, ()))
            if keys is not None:
                found[server.key] = keys
        changed = {key: item.text for key, item in found.items()} != {
            key: item.text for key, item in self._servers.items()
        }
        self._servers = found
        return changed

    async def list(self, server: Key) -> tuple[KeyRow, ...]:
        """The keys of an authorization server, the newest first."""
        rows = (await self._rows()).get(server.path, ())
        now = self._database.clock()
        return tuple(_shown(rows, index, now) for index in reversed(range(len(rows))))

    async def rotate(
        self, server: AuthorizationServer, actor: str, *, compromised: bool = False
    ) -> str:
        """Makes another key.

        Args:
            server: the authorization server.
            actor: who asks for it.
            compromised: signs with it at once, and takes all others away: their tokens end now.

        Returns:
            Its id.

        Raises:
            RefusedError: the next key is made already.
        """
        made = await asyncio.to_thread(_generate, server.algorithm)
        async with self._database.changing(actor) as change:
            rows = await _read(change, server.key)
            if not compromised and rows and rows[-1].signs_at > change.at:
                message = f"the next key of {server.key} signs from {rows[-1].signs_at.isoformat()}"
                raise RefusedError(message, hint="wait for it, or say that one is compromised")
            if compromised:
                update = KEY.update().where(KEY.c.server == server.key.path)
                update = update.where(KEY.c.withdrawn_at.is_(None))
                await change.connection.execute(update.values(withdrawn_at=change.at))
            signs_at = change.at if compromised or not rows else change.at + LEAD
            await self._insert(change, server, made, signs_at)
            detail = {"key": made.kid, "compromised": compromised}
            await change.audit("rotate", "AuthorizationServer", server.key.path, detail)
        return str(made.kid)

    async def rewrap(self, actor: str) -> int:
        """Closes all keys by the master key in use; the number of those that were changed.

        Those that were withdrawn stay as they are: nobody opens them again.

        Raises:
            StateError: the database does not answer, or a master key is missing.
        """
        query = sa.select(KEY).where(
            KEY.c.withdrawn_at.is_(None), KEY.c.master_key != self._master.id
        )
        async with self._database.changing(actor) as change:
            rows = (await change.connection.execute(query)).all()
            for row in rows:
                text = self._master.open(row.sealed, row.id, row.master_key)
                closed = {
                    "sealed": self._master.close(text, row.id),
                    "master_key": self._master.id,
                }
                await change.connection.execute(
                    KEY.update().where(KEY.c.id == row.id).values(closed)
                )
            await change.audit("rewrap", "AuthorizationServer", "*", {"changed": len(rows)})
        return len(rows)

    async def _make_due(self, server: AuthorizationServer) -> None:
        made = await asyncio.to_thread(_generate, server.algorithm)
        async with self._database.changing("pointsman") as change:
            rows = await _read(change, server.key)
            if not _is_due(rows, server, change.at):
                return  # another control plane was faster
            if _is_short(rows, server):
                update = KEY.update().where(KEY.c.server == server.key.path)
                update = update.where(KEY.c.longest_s < server.access_s)
                await change.connection.execute(update.values(longest_s=server.access_s))
                return
            signs_at = change.at
            if rows:
                ends = rows[-1].signs_at + timedelta(seconds=server.rotate_s)
                signs_at = max(change.at + LEAD, ends)
                if rows[-1].algorithm != server.algorithm:
                    signs_at = change.at + LEAD
            await self._insert(change, server, made, signs_at)
            detail = {"key": made.kid, "signsAt": signs_at.isoformat()}
            await change.audit("rotate", "AuthorizationServer", server.key.path, detail)

    async def _insert(
        self, change: Change, server: AuthorizationServer, made: Any, signs_at: datetime
    ) -> None:
        rows = await _read(change, server.key)
        over = [row.id for i, row in enumerate(rows) if not _is_published(rows, i, change.at)]
        withdraw = KEY.update().where(KEY.c.id.in_(over)).values(withdrawn_at=change.at)
        await change.connection.execute(withdraw)
        text = json.dumps(made.as_dict(private=True))
        row = {
            "id": made.kid,
            "server": server.key.path,
            "algorithm": server.algorithm,
            "public": made.as_dict(private=False),
            "sealed": self._master.close(text, made.kid),
            "master_key": self._master.id,
            "created_at": change.at,
            "signs_at": signs_at,
            "longest_s": server.access_s,
        }
        await change.connection.execute(KEY.insert(), row)

    async def _rows(self) -> dict[str, Sequence[Any]]:
        """Keys that were not withdrawn, by server, in the order in which they sign."""
        query = sa.select(KEY).where(KEY.c.withdrawn_at.is_(None))
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(KEY.c.signs_at, KEY.c.id))
            found: dict[str, list[Any]] = {}
            for row in rows:
                found.setdefault(row.server, []).append(row)
        return dict(found)

    def _server_keys(self, rows: Sequence[Any]) -> ServerKeys | None:
        now = self._database.clock()
        kept = [row for index, row in enumerate(rows) if _is_published(rows, index, now)]
        current = [row for row in kept if row.signs_at <= now]
        if not current:
            return None
        signing = self._open(current[-1])
        public = {"keys": [row.public for row in sorted(kept, key=lambda row: row.id)]}
        text = json.dumps(public, sort_keys=True)
        published = KeySet.import_key_set(json.loads(text))
        alone = None if signing is None else KeySet([signing])
        return ServerKeys(alone, current[-1].algorithm, published, text)

    def _open(self, row: Any) -> Any:
        if row.id not in self._opened:
            try:
                text = self._master.open(row.sealed, row.id, row.master_key)
            except StateError as error:
                self.failures[row.id] = str(error)
                return None
            self._opened[row.id] = import_key(json.loads(text))
        return self._opened[row.id]


def _generate(algorithm: Algorithm) -> Any:
    more: Any = {"use": "sig", "alg": algorithm}
    if algorithm == "ES256":
        made: Any = ECKey.generate_key("P-256", more, private=True)
    else:
        made = RSAKey.generate_key(_RSA_BITS, more, private=True)
    made.ensure_kid()
    return made


async def _read(change: Change, server: Key) -> Sequence[Any]:
    query = sa.select(KEY).where(KEY.c.server == server.path, KEY.c.withdrawn_at.is_(None))
    return (await change.connection.execute(query.order_by(KEY.c.signs_at, KEY.c.id))).all()


def _is_due(rows: Sequence[Any], server: AuthorizationServer, now: datetime) -> bool:
    """Whether the last key has to be changed, or another one made."""
    if not rows:
        return True
    last = rows[-1]
    if _is_short(rows, server):
        return True
    if last.signs_at > now:
        return False
    over = last.signs_at + timedelta(seconds=server.rotate_s) - LEAD <= now
    return over or bool(last.algorithm != server.algorithm)


def _is_short(rows: Sequence[Any], server: AuthorizationServer) -> bool:
    """Whether keys are thought to sign for less time than they do now."""
    return any(row.longest_s < server.access_s for row in rows)


def _ends(rows: Sequence[Any], index: int) -> datetime | None:
    """When a key is of no use any more; None while nothing takes its place."""
    if index + 1 == len(rows):
        return None
    replaced: datetime = rows[index + 1].signs_at
    return replaced + timedelta(seconds=rows[index].longest_s) + _SKEW


def _is_published(rows: Sequence[Any], index: int, now: datetime) -> bool:
    ends = _ends(rows, index)
    return ends is None or ends > now


def _shown(rows: Sequence[Any], index: int, now: datetime) -> KeyRow:
    row, ends = rows[index], _ends(rows, index)
    signing = max((i for i, item in enumerate(rows) if item.signs_at <= now), default=-1)
    if row.signs_at > now:
        state = "announced"
    elif index == signing:
        state = "signs"
    else:
        state = "checks" if _is_published(rows, index, now) else "over"
    return KeyRow(row.id, row.algorithm, row.created_at, row.signs_at, ends, state)


def key_sets(servers: Mapping[Key, AuthorizationServer], keys: Keys) -> dict[str, str]:
    """Key sets as JSON, by issuer."""
    found = {server.issuer: keys.of(key) for key, server in servers.items()}
    return {issuer: item.text for issuer, item in found.items() if item is not None}
