"""Tables of rollouts: how far each is, and what has happened."""

import sqlalchemy as sa

from pointsman.state.schema import METADATA

NAME_LENGTH = 384
"""Characters of `KIND/NAMESPACE/NAME`."""

STATE = sa.Table(
    "rollout_state",
    METADATA,
    sa.Column("rollout", sa.String(NAME_LENGTH), primary_key=True),
    sa.Column("state", sa.JSON, nullable=False),
)
"""`State.json` by `KIND/NAMESPACE/NAME`."""

LEAD = sa.Table(
    "rollout_lead",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("holder", sa.String(255), nullable=False),
    sa.Column("until", sa.Double, nullable=False),
)
"""One row: the control plane that carries rollouts out, until when in seconds since 1970."""

READING = sa.Table(
    "rollout_reading",
    METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("readings", sa.JSON, nullable=False),
)
"""What control planes that follow tell: a list of `Reading.json`, until it is heard; `at` by the
clock of the database.
"""

ACKNOWLEDGED = sa.Table(
    "rollout_acknowledged",
    METADATA,
    sa.Column("plane", sa.String(255), primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("splits", sa.JSON, nullable=False),
)
"""What all proxies of a control plane have: `State.split` by `KIND/NAMESPACE/NAME`, null of what
they have not; `at` by the clock of the database.
"""

EVENT = sa.Table(
    "rollout_event",
    METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("rollout", sa.String(NAME_LENGTH), nullable=False, index=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("level", sa.String(7), nullable=False),
    sa.Column("phase", sa.String(31), nullable=False),
    sa.Column("weight", sa.Integer, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
)
"""`Event` by `KIND/NAMESPACE/NAME`; `at` in seconds since 1970."""
