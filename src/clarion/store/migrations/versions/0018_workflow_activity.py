"""When workflows were last triggered.

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workflow_activity",
        sa.Column("workflow_id", sa.String(32), nullable=False),
        sa.Column("last_triggered_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflows.id"], name="fk_workflow_activity_workflow_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workflow_id", name="pk_workflow_activity"),
        comment="When a workflow was last triggered, apart from what the catalog holds of it.",
    )


def downgrade() -> None:
    op.drop_table("workflow_activity")
