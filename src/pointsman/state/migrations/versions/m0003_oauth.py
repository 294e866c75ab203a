"""Authorization servers: keys, grants, refresh tokens, sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_AT = sa.DateTime(timezone=True)
_PATH = sa.String(317)


def upgrade() -> None:
    """Makes the tables; what a client may do stands in manifests, and no more here."""
    op.drop_column("credential", "settings")
    op.create_table(
        "oauth_key",
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("server", _PATH, nullable=False),
        sa.Column("algorithm", sa.String(15), nullable=False),
        sa.Column("public", sa.JSON, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("master_key", sa.String(63), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("signs_at", _AT, nullable=False),
        sa.Column("longest_s", sa.Integer, nullable=False),
        sa.Column("withdrawn_at", _AT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_oauth_key"),
    )
    op.create_index("ix_oauth_key_server", "oauth_key", ["server"])
    op.create_table(
        "oauth_grant",
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("server", _PATH, nullable=False),
        sa.Column("client", _PATH, nullable=False),
        sa.Column("subject", _PATH, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("challenge", sa.String(128), nullable=False),
        sa.Column("code_digest", sa.LargeBinary, nullable=False),
        sa.Column("code_expires_at", _AT, nullable=False),
        sa.Column("code_used_at", _AT, nullable=True),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("expires_at", _AT, nullable=False),
        sa.Column("revoked_at", _AT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_oauth_grant"),
        sa.UniqueConstraint("code_digest", name="uq_oauth_grant_code_digest"),
    )
    for column in ("client", "subject", "expires_at"):
        op.create_index(f"ix_oauth_grant_{column}", "oauth_grant", [column])
    op.create_table(
        "oauth_refresh",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("grant_id", sa.String(63), nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("expires_at", _AT, nullable=False),
        sa.Column("used_at", _AT, nullable=True),
        sa.PrimaryKeyConstraint("digest", name="pk_oauth_refresh"),
    )
    for column in ("grant_id", "expires_at"):
        op.create_index(f"ix_oauth_refresh_{column}", "oauth_refresh", [column])
    op.create_table(
        "oauth_revoked",
        sa.Column("jti", sa.String(127), nullable=False),
        sa.Column("expires_at", _AT, nullable=False),
        sa.PrimaryKeyConstraint("jti", name="pk_oauth_revoked"),
    )
    op.create_table(
        "oauth_session",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("server", _PATH, nullable=False),
        sa.Column("subject", _PATH, nullable=False),
        sa.Column("credential", sa.String(63), nullable=False),
        sa.Column("expires_at", _AT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_oauth_session"),
    )
    op.create_table(
        "oauth_failure",
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("until", _AT, nullable=False),
        sa.Column("expires_at", _AT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_oauth_failure"),
    )
    for table in ("revoked", "session", "failure"):
        op.create_index(f"ix_oauth_{table}_expires_at", f"oauth_{table}", ["expires_at"])
