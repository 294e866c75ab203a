"""A database: opened, brought up to date, changed by several at once."""

import asyncio
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import pointsman.access.schema
import pointsman.limits.schema
import pointsman.oauth.schema
import pointsman.rollout.schema
from pointsman.errors import StateError
from pointsman.state.audit import read_audit
from pointsman.state.database import Database
from pointsman.state.schema import METADATA
from tests.support.state import HandClock

assert pointsman.access.schema.CONSUMER.metadata is METADATA
assert pointsman.limits.schema.QUOTA_COUNT.metadata is METADATA
assert pointsman.oauth.schema.GRANT.metadata is METADATA
assert pointsman.rollout.schema.STATE.metadata is METADATA


async def test_migrations_and_tables_in_the_code_say_the_same(url: str) -> None:
    def differences(connection: sa.Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), METADATA)

    async with Database(url) as database, database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_two_processes_may_open_it_for_the_first_time_at_once(url: str) -> None:
    async def use() -> int:
        async with Database(url) as database, database.changing("test"):
            pass
        async with Database(url) as database:
            return await database.revision()

    assert max(await asyncio.gather(*(use() for _ in range(4)))) == 4


async def test_a_change_is_noticed_by_others(url: str) -> None:
    noticed = asyncio.Event()
    async with Database(url) as one, Database(url) as other:
        watching = asyncio.create_task(other.watch(lambda _: noticed.set(), 0.01))
        await asyncio.sleep(0)
        while not noticed.is_set():
            async with one.changing("test"):
                pass
        watching.cancel()


async def test_changes_happen_as_a_whole_or_not_at_all(url: str) -> None:
    async with Database(url, HandClock()) as database:
        with pytest.raises(ZeroDivisionError):
            async with database.changing("test") as change:
                await change.audit("make", "Thing", "a")
                raise ZeroDivisionError
        assert await database.revision() == 0
        assert await read_audit(database) == ()


async def test_the_audit_log_is_read_by_pages_newest_first(url: str) -> None:
    clock = HandClock()
    async with Database(url, clock) as database:
        for index in range(5):
            clock.go(seconds=1)
            async with database.changing(f"actor {index % 2}") as change:
                await change.audit("make", "Thing", f"thing {index}", {"index": index})
        first = await read_audit(database, limit=3)
        rest = await read_audit(database, limit=3, before=first[-1].id)
        only = await read_audit(database, name="thing 2")
    assert [entry.name for entry in (*first, *rest)] == [f"thing {i}" for i in (4, 3, 2, 1, 0)]
    assert (first[0].at, first[0].actor, first[0].detail) == (clock.now, "actor 0", {"index": 4})
    assert [entry.name for entry in only] == ["thing 2"]


async def test_a_database_of_a_newer_version_is_refused(url: str) -> None:
    async with Database(url) as database, database.changing("test") as change:
        await change.connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StateError, match="newer version: it knows 9999"):
        async with Database(url):
            pass


async def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state.db"
    async with Database(f"sqlite:///{path}"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://u:geheim@h/d", "mysql is no database that is known here"),
        ("::", "the address of the database is none"),
        ("sqlite:////proc/none/state.db", "cannot be made"),
        ("postgresql://u:geheim@127.0.0.1:1/d", "cannot be opened"),
    ],
)
async def test_what_is_wrong_is_told_without_passwords(url: str, message: str) -> None:
    with pytest.raises(StateError, match=message) as caught:
        async with Database(url):
            pass
    assert "geheim" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
