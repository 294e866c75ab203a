"""Which of several control planes carries rollouts out."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Makes the table, with its one row: nobody does."""
    made = op.create_table(
        "rollout_lead",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rollout_lead"),
    )
    op.bulk_insert(made, [{"id": 1, "holder": "", "until": 0.0}])
