"""Takes away what is over: codes, tokens, sessions and keys that nobody has to know any more."""

from datetime import timedelta
from typing import Final

from pointsman.oauth.kept import GRACE
from pointsman.oauth.schema import FAILURE, GRANT, KEY, REFRESH, REVOKED, SESSION
from pointsman.state.database import Database

_KEYS: Final = timedelta(days=30)
"""How long withdrawn keys are kept for the record."""


async def clean(database: Database) -> int:
    """Removes it; the number of rows."""
    now = database.clock()
    over = [
        GRANT.delete().where(GRANT.c.expires_at < now - GRACE),
        REFRESH.delete().where(REFRESH.c.expires_at < now - GRACE),
        *(table.delete().where(table.c.expires_at < now) for table in (REVOKED, SESSION, FAILURE)),
        KEY.delete().where(KEY.c.withdrawn_at < now - _KEYS),
    ]
    async with database.recording() as connection:
        return sum([(await connection.execute(statement)).rowcount for statement in over])
