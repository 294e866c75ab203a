"""Tables of what is counted."""

import sqlalchemy as sa

from pointsman.state.schema import METADATA

QUOTA_COUNT = sa.Table(
    "quota_count",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("record", sa.JSON, nullable=False),
    sa.Column("ends", sa.BigInteger, nullable=False, index=True),
)
"""`counts.Record` by keys of `definitions.store_key`, and seconds since 1970 when nothing of it
counts any more."""

LIMIT_PLANE = sa.Table(
    "limit_plane",
    METADATA,
    sa.Column("name", sa.String(63), primary_key=True),
    sa.Column("until", sa.BigInteger, nullable=False),
)
"""Control planes that give leases of rates, and until when they do at the latest, in seconds since
1970."""
