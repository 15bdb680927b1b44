"""What subscribers want to hear."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Time, metadata, of_subscriber

preferences = sa.Table(
    "preferences",
    metadata,
    of_subscriber(),
    sa.Column("workflow_id", Id, nullable=False),
    sa.Column("channels", sa.Text, nullable=False),
    sa.Column("schedule", sa.Text),
    sa.Column("updated_at", Time, nullable=False),
    sa.PrimaryKeyConstraint("subscriber_pk", "workflow_id"),
    sa.Index(None, "workflow_id"),
    comment="What a subscriber chose for a workflow, or for everything: workflow_id is then empty.",
)

scoped_preferences = sa.Table(
    "scoped_preferences",
    metadata,
    of_subscriber(),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("workflow_id", Id, nullable=False),
    sa.Column("channels", sa.Text, nullable=False),
    sa.Column("schedule", sa.Text),
    sa.Column("updated_at", Time, nullable=False),
    sa.PrimaryKeyConstraint("subscriber_pk", "scope", "workflow_id"),
    sa.Index(None, "workflow_id"),
    comment="What a subscriber chose for the contexts of a scope.",
)
