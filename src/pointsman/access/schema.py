"""Tables of consumers and credentials."""

import sqlalchemy as sa

from pointsman.state.schema import METADATA, Instant

CONSUMER = sa.Table(
    "consumer",
    METADATA,
    sa.Column("namespace", sa.String(63), primary_key=True),
    sa.Column("name", sa.String(253), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
)
"""Consumers that no file declares."""

CREDENTIAL = sa.Table(
    "credential",
    METADATA,
    sa.Column("id", sa.String(63), primary_key=True),
    sa.Column("kind", sa.String(15), nullable=False),
    sa.Column("namespace", sa.String(63), nullable=False),
    sa.Column("consumer", sa.String(253), nullable=False),
    sa.Column("prefix", sa.String(31), nullable=False),
    sa.Column("label", sa.String(255), nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=True),
    sa.Column("master_key", sa.String(63), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("created_by", sa.String(255), nullable=False),
    sa.Column("expires_at", Instant, nullable=True),
    sa.Column("revoked_at", Instant, nullable=True),
    sa.Column("replaces", sa.String(63), nullable=True),
    sa.Column("changed", sa.BigInteger, nullable=False, index=True),
    sa.UniqueConstraint("kind", "digest", name="uq_credential_digest"),
    sa.Index("ix_credential_consumer", "namespace", "consumer"),
)
"""Credentials of consumers, whoever declares those."""

ADMIN_TOKEN = sa.Table(
    "admin_token",
    METADATA,
    sa.Column("id", sa.String(63), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("role", sa.String(15), nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=True),
    sa.Column("revoked_at", Instant, nullable=True),
    sa.UniqueConstraint("digest", name="uq_admin_token_digest"),
)
"""Tokens of administrators."""
