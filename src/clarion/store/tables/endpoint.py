"""Where a subscriber is reached outside of push."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Row, Time, metadata, of_environment, of_subscriber, partial_index

channel_connections = sa.Table(
    "channel_connections",
    metadata,
    sa.Column("pk", Row, primary_key=True, autoincrement=True),
    sa.Column("id", Id, nullable=False, unique=True),
    of_environment(),
    sa.Column("identifier", sa.Text, nullable=False),
    sa.Column("integration_id", Id, sa.ForeignKey("integrations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("subscriber_pk", Row, sa.ForeignKey("subscribers.pk", ondelete="CASCADE")),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="Workspace and tokens."),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.UniqueConstraint("environment_id", "identifier"),
    sa.Index(None, "integration_id", "subscriber_pk", "scope", unique=True),
    partial_index(
        "ix_channel_connections_shared",
        "integration_id",
        "scope",
        where="subscriber_pk IS NULL",
        unique=True,
    ),
    sa.Index(None, "environment_id", "pk"),
    sa.Index(None, "subscriber_pk"),
    sqlite_autoincrement=True,
    comment="An integration's connection to a workspace: a subscriber's, or shared in a context.",
)

channel_endpoints = sa.Table(
    "channel_endpoints",
    metadata,
    sa.Column("pk", Row, primary_key=True, autoincrement=True),
    sa.Column("id", Id, nullable=False, unique=True),
    of_environment(),
    sa.Column("identifier", sa.Text, nullable=False),
    sa.Column("integration_id", Id, sa.ForeignKey("integrations.id", ondelete="CASCADE"), nullable=False),
    of_subscriber(),
    sa.Column("connection_pk", Row, sa.ForeignKey("channel_connections.pk", ondelete="SET NULL")),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="The address."),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.UniqueConstraint("environment_id", "identifier"),
    sa.Index(None, "environment_id", "pk"),
    sa.Index(None, "integration_id"),
    sa.Index(None, "subscriber_pk"),
    sa.Index(None, "connection_pk"),
    sqlite_autoincrement=True,
    comment="An address of a subscriber outside of push.",
)
