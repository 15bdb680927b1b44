"""Groups of subscribers."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Row, Time, metadata, of_environment, of_subscriber

topics = sa.Table(
    "topics",
    metadata,
    sa.Column("id", Id, primary_key=True),
    of_environment(),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.UniqueConstraint("environment_id", "key"),
)

topic_subscriptions = sa.Table(
    "topic_subscriptions",
    metadata,
    sa.Column("pk", Row, primary_key=True, autoincrement=True),
    sa.Column("id", Id, nullable=False, unique=True),
    sa.Column("topic_id", Id, sa.ForeignKey("topics.id", ondelete="CASCADE"), nullable=False),
    of_subscriber(),
    sa.Column("identifier", sa.Text, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.Column("scope", sa.Text, nullable=False, server_default="", comment="Of its contexts; mostly empty."),
    sa.Column("preferences", sa.Text, comment="Which workflows it wants, and when; None for all."),
    sa.UniqueConstraint("topic_id", "identifier"),
    sa.Index(None, "topic_id", "scope", "subscriber_pk"),
    sa.Index(None, "topic_id", "pk"),
    sa.Index(None, "subscriber_pk"),
    sqlite_autoincrement=True,
    comment="A subscriber in a topic.",
)
