"""Rollouts: how far each is, and what has happened."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NAME = sa.String(384)


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "rollout_state",
        sa.Column("rollout", _NAME, nullable=False),
        sa.Column("state", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("rollout", name="pk_rollout_state"),
    )
    op.create_table(
        "rollout_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("rollout", _NAME, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("level", sa.String(7), nullable=False),
        sa.Column("phase", sa.String(31), nullable=False),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rollout_event"),
    )
    op.create_index("ix_rollout_event_rollout", "rollout_event", ["rollout"])
