"""Topics and who is subscribed to them.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "topics",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("environment_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_topics_environment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topics")),
        sa.UniqueConstraint("environment_id", "key", name=op.f("uq_topics_environment_id_key")),
    )
    row = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "topic_subscriptions",
        sa.Column("pk", row, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("topic_id", sa.String(length=32), nullable=False),
        sa.Column("subscriber_pk", row, nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["topic_id"], ["topics.id"], name=op.f("fk_topic_subscriptions_topic_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_pk"],
            ["subscribers.pk"],
            name=op.f("fk_topic_subscriptions_subscriber_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_topic_subscriptions")),
        sa.UniqueConstraint("id", name=op.f("uq_topic_subscriptions_id")),
        sa.UniqueConstraint(
            "topic_id", "identifier", name=op.f("uq_topic_subscriptions_topic_id_identifier")
        ),
        comment="A subscriber in a topic.",
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("topic_subscriptions") as batch_op:
        batch_op.create_index(
            op.f("ix_topic_subscriptions_topic_id_subscriber_pk"), ["topic_id", "subscriber_pk"]
        )
        batch_op.create_index(op.f("ix_topic_subscriptions_subscriber_pk"), ["subscriber_pk"])


def downgrade() -> None:
    op.drop_table("topic_subscriptions")
    op.drop_table("topics")
