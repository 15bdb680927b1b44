"""Hours of statistics, counted once; an index of the messages that were not delivered.

Revision: 0034, after 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counted_hours",
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column(
            "hour", sa.BigInteger(), nullable=False, comment="Its beginning, by when triggers were accepted."
        ),
        sa.Column("counted_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "opened_at", sa.BigInteger(), nullable=False, comment="When opened messages were last counted."
        ),
        sa.Column("settled", sa.Boolean(), nullable=False, comment="Nothing of it was under way."),
        sa.PrimaryKeyConstraint("environment_id", "hour", name="pk_counted_hours"),
        comment="Hours of statistics that were counted.",
    )
    op.create_table(
        "hourly_counts",
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False, comment="That of the triggers."),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="The hour it came about in."),
        sa.Column(
            "integration_id", sa.String(32), nullable=False, comment="Empty for what is of a workflow alone."
        ),
        sa.Column("workflow_id", sa.String(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("took", sa.BigInteger(), nullable=False),
        sa.Column("slowest", sa.BigInteger(), nullable=False),
        sa.Column("dead", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "environment_id",
            "hour",
            "at",
            "integration_id",
            "workflow_id",
            "status",
            name="pk_hourly_counts",
        ),
        comment="What became of the pushes of an hour.",
    )
    op.create_index(
        "ix_messages_not_delivered",
        "messages",
        ["environment_id", "notification_id", "status"],
        sqlite_where=sa.text("status <> 'delivered'"),
        postgresql_where=sa.text("status <> 'delivered'"),
    )


def downgrade() -> None:
    op.drop_index("ix_messages_not_delivered", table_name="messages")
    op.drop_table("hourly_counts")
    op.drop_table("counted_hours")
