"""Brings a database's tables to what this program knows, one process at a time."""

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection

from pointsman.errors import StateError

_SCRIPTS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x706F696E7473
"""Any number that other programs on the same PostgreSQL do not take."""


async def migrate(connection: AsyncConnection) -> None:
    """Applies what is missing.

    Raises:
        StateError: the database was used by a newer version of this program.
    """
    if connection.dialect.name == "sqlite":
        await connection.execution_options(begin="BEGIN IMMEDIATE")
    async with connection.begin():
        if connection.dialect.name == "postgresql":
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        await connection.run_sync(_upgrade)


def _upgrade(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = set(MigrationContext.configure(connection).get_current_heads())
    if found - known:
        raise StateError(
            f"the database is of a newer version: it knows {', '.join(sorted(found - known))}",
            hint="use the version of Pointsman that it was last used with",
        )
    command.upgrade(config, "head")
