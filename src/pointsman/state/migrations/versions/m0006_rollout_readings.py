"""What control planes tell the one that carries rollouts out: requests, and acknowledgements."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "rollout_reading",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("readings", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rollout_reading"),
    )
    op.create_table(
        "rollout_acknowledged",
        sa.Column("plane", sa.String(255), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("splits", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("plane", name="pk_rollout_acknowledged"),
    )
