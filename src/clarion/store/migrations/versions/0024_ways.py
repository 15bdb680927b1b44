"""By which topics and subscriptions notifications came to be.

Revision: 0024, after 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "notifications",
        sa.Column(
            "through", sa.Text(), comment="The ways by which topics led to the recipient; None without."
        ),
    )
    op.create_table(
        "trigger_topics",
        sa.Column("trigger_id", sa.String(32), nullable=False),
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column("topic_key", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False, comment="Of the topic among those of the trigger."),
        sa.Column(
            "topic_id", sa.String(32), nullable=False, comment="What it was then; the topic may be gone."
        ),
        sa.PrimaryKeyConstraint("trigger_id", "topic_key", name="pk_trigger_topics"),
        sa.ForeignKeyConstraint(
            ["trigger_id"], ["triggers.id"], name="fk_trigger_topics_trigger_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name="fk_trigger_topics_environment_id"
        ),
        comment="A topic that a trigger is for, noted when its members are looked up.",
    )
    op.create_index(
        "ix_trigger_topics_environment_id_topic_key_trigger_id",
        "trigger_topics",
        ["environment_id", "topic_key", "trigger_id"],
    )


def downgrade() -> None:
    op.drop_table("trigger_topics")
    op.drop_column("notifications", "through")
