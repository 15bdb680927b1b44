"""Workflows on their way through their steps."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Time, metadata, of_environment, of_subscriber, partial_index

runs = sa.Table(
    "runs",
    metadata,
    of_environment(),
    sa.Column("id", Id, nullable=False, comment="That of its notification."),
    sa.Column("trigger_id", Id, nullable=False),
    of_subscriber(),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("step_id", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("extensions", sa.Integer, nullable=False),
    sa.Column("wake_at", Time),
    sa.Column("digest_key", sa.Text, comment="While others are merged into it."),
    sa.Column("merged_into", Id),
    sa.Column("results", sa.Text, nullable=False),
    sa.Column("bulk", sa.Boolean, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("place", sa.Integer, nullable=False, comment="Among those that began together."),
    sa.PrimaryKeyConstraint("environment_id", "id"),
    sa.Index(None, "trigger_id", "id"),
    sa.Index(None, "subscriber_pk"),
    partial_index(
        "ix_runs_digest", "environment_id", "digest_key", where="digest_key IS NOT NULL", unique=True
    ),
    partial_index("ix_runs_merged", "environment_id", "merged_into", where="merged_into IS NOT NULL"),
    partial_index("ix_runs_open", "environment_id", "id", where="open"),
    comment="A workflow on its way through its steps for one recipient.",
)

step_uses = sa.Table(
    "step_uses",
    metadata,
    of_subscriber(),
    sa.Column("use_key", Id, nullable=False),
    sa.Column("run_id", Id, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.PrimaryKeyConstraint("subscriber_pk", "use_key", "run_id"),
    comment="When runs passed a throttle or came to a digest, by what these group by.",
)
