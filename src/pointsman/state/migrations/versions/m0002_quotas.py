"""What is used of quotas, and which control planes lease rates."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes their tables."""
    op.create_table(
        "quota_count",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("ends", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_quota_count"),
    )
    op.create_index("ix_quota_count_ends", "quota_count", ["ends"])
    op.create_table(
        "limit_plane",
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_limit_plane"),
    )
