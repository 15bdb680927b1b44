"""What subscribers want to be sent.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "preferences",
        sa.Column("subscriber_pk", _ROW, nullable=False),
        sa.Column("workflow_id", sa.String(32), nullable=False),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_pk"],
            ["subscribers.pk"],
            name="fk_preferences_subscriber_pk",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_pk", "workflow_id", name="pk_preferences"),
        comment="What a subscriber chose for a workflow, or for everything: workflow_id is then empty.",
    )
    op.create_index("ix_preferences_workflow_id", "preferences", ["workflow_id"])


def downgrade() -> None:
    op.drop_table("preferences")
