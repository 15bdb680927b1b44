"""Who looks after the installation, and how they get in."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Time, metadata

members = sa.Table(
    "members",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("email", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    comment="Who looks after the installation.",
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("member_id", Id, sa.ForeignKey("members.id", ondelete="CASCADE"), nullable=False),
    sa.Column("environment_id", Id, nullable=False, comment="The one chosen; empty for none."),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("last_seen_at", Time, nullable=False),
    sa.Column("expires_at", Time, nullable=False),
    sa.Column("user_agent", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Index(None, "member_id"),
    comment="Browsers in which members are signed in.",
)

invitations = sa.Table(
    "invitations",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("invited_by", sa.Text, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("expires_at", Time, nullable=False),
    comment="Roles that wait for somebody; one that was accepted is gone.",
)

sign_in_attempts = sa.Table(
    "sign_in_attempts",
    metadata,
    sa.Column("subject", sa.String(64), primary_key=True, comment="A hash of who or where from."),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("since", Time, nullable=False),
    comment="How often somebody tried to get in lately.",
)
