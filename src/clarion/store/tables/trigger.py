"""What was asked for, and how far its recipients are looked up."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Row, Time, metadata, of_environment, partial_index

triggers = sa.Table(
    "triggers",
    metadata,
    sa.Column("id", Id, primary_key=True),
    of_environment(),
    sa.Column("transaction_id", sa.Text, nullable=False),
    sa.Column("workflow_id", Id, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False, comment="The accepted trigger, MessagePack."),
    sa.Column("expanded", sa.Boolean, nullable=False),
    sa.Column("cancelled_at", Time),
    sa.Column("paused_at", Time),
    sa.Column("audience", Time, comment="Subscribers of the environment when a broadcast began."),
    sa.Column("accepted_at", Time, nullable=False),
    sa.Column("scope", sa.Text, comment="The keys of its contexts, sorted; None without any."),
    sa.UniqueConstraint("environment_id", "transaction_id"),
    partial_index("ix_triggers_to_many", "environment_id", "id", where="audience IS NOT NULL"),
    comment="A trigger whose recipients are being, or have been, addressed.",
)

trigger_topics = sa.Table(
    "trigger_topics",
    metadata,
    sa.Column("trigger_id", Id, sa.ForeignKey("triggers.id", ondelete="CASCADE"), nullable=False),
    of_environment(),
    sa.Column("topic_key", sa.Text, nullable=False),
    sa.Column("place", sa.Integer, nullable=False, comment="Of the topic among those of the trigger."),
    sa.Column("topic_id", Id, nullable=False, comment="What it was then; the topic may be gone."),
    sa.PrimaryKeyConstraint("trigger_id", "topic_key"),
    sa.Index(None, "environment_id", "topic_key", "trigger_id"),
    comment="A topic that a trigger is for, noted when its members are looked up.",
)

chunks = sa.Table(
    "chunks",
    metadata,
    sa.Column("trigger_id", Id, sa.ForeignKey("triggers.id", ondelete="CASCADE"), nullable=False),
    sa.Column("upto", Row, nullable=False, comment="Its last row."),
    sa.Column("addressed", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("trigger_id", "upto"),
    comment="The parts of a broadcast's audience, which are addressed in any order.",
)
