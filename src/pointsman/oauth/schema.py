"""Tables of authorization servers. Whatever is a secret is here as a digest, or closed."""

import sqlalchemy as sa

from pointsman.state.schema import METADATA, Instant

_PATH = 317
"""Characters of `NAMESPACE/NAME`."""

KEY = sa.Table(
    "oauth_key",
    METADATA,
    sa.Column("id", sa.String(63), primary_key=True),
    sa.Column("server", sa.String(_PATH), nullable=False, index=True),
    sa.Column("algorithm", sa.String(15), nullable=False),
    sa.Column("public", sa.JSON, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("master_key", sa.String(63), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("signs_at", Instant, nullable=False),
    sa.Column("longest_s", sa.Integer, nullable=False),
    sa.Column("withdrawn_at", Instant, nullable=True),
)
"""Keys that tokens are signed with, and when each begins to."""

GRANT = sa.Table(
    "oauth_grant",
    METADATA,
    sa.Column("id", sa.String(63), primary_key=True),
    sa.Column("server", sa.String(_PATH), nullable=False),
    sa.Column("client", sa.String(_PATH), nullable=False, index=True),
    sa.Column("subject", sa.String(_PATH), nullable=False, index=True),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("challenge", sa.String(128), nullable=False),
    sa.Column("code_digest", sa.LargeBinary, nullable=False),
    sa.Column("code_expires_at", Instant, nullable=False),
    sa.Column("code_used_at", Instant, nullable=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("revoked_at", Instant, nullable=True),
    sa.UniqueConstraint("code_digest", name="uq_oauth_grant_code_digest"),
)
"""What people have consented to: the code for it, and the family of tokens that came of it."""

REFRESH = sa.Table(
    "oauth_refresh",
    METADATA,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("grant_id", sa.String(63), nullable=False, index=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("used_at", Instant, nullable=True),
)
"""Refresh tokens; those that were used stay, so that using one again is noticed."""

REVOKED = sa.Table(
    "oauth_revoked",
    METADATA,
    sa.Column("jti", sa.String(127), primary_key=True),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)
"""Access tokens that were revoked before their end."""

SESSION = sa.Table(
    "oauth_session",
    METADATA,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("server", sa.String(_PATH), nullable=False),
    sa.Column("subject", sa.String(_PATH), nullable=False),
    sa.Column("credential", sa.String(63), nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)
"""Browsers that are logged in."""

FAILURE = sa.Table(
    "oauth_failure",
    METADATA,
    sa.Column("name", sa.LargeBinary, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("until", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)
"""Logins that failed, by a digest of who tried."""
