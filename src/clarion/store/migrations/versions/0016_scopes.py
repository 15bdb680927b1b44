"""Preferences and subscriptions that hold in contexts, and what a subscription wants.

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "scoped_preferences",
        sa.Column("subscriber_pk", _ROW, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("workflow_id", sa.String(32), nullable=False),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text()),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_pk"],
            ["subscribers.pk"],
            name="fk_scoped_preferences_subscriber_pk",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_pk", "scope", "workflow_id", name="pk_scoped_preferences"),
        comment="What a subscriber chose for the contexts of a scope.",
    )
    op.create_index("ix_scoped_preferences_workflow_id", "scoped_preferences", ["workflow_id"])
    comment = "Of its contexts; mostly empty."
    scope = sa.Column("scope", sa.Text(), nullable=False, server_default="", comment=comment)
    op.add_column("topic_subscriptions", scope)
    comment = "Which workflows it wants, and when; None for all."
    op.add_column("topic_subscriptions", sa.Column("preferences", sa.Text(), comment=comment))
    op.create_index(
        "ix_topic_subscriptions_topic_id_scope_subscriber_pk",
        "topic_subscriptions",
        ["topic_id", "scope", "subscriber_pk"],
    )
    op.drop_index("ix_topic_subscriptions_topic_id_subscriber_pk", "topic_subscriptions")


def downgrade() -> None:
    op.create_index(
        "ix_topic_subscriptions_topic_id_subscriber_pk", "topic_subscriptions", ["topic_id", "subscriber_pk"]
    )
    op.drop_index("ix_topic_subscriptions_topic_id_scope_subscriber_pk", "topic_subscriptions")
    op.drop_column("topic_subscriptions", "preferences")
    op.drop_column("topic_subscriptions", "scope")
    op.drop_table("scoped_preferences")
