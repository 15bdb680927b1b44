"""What a workflow does outside of its recipients' schedules.

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("outside_schedule", sa.Text(), nullable=False, server_default="defer")
    op.add_column("workflows", column)


def downgrade() -> None:
    op.drop_column("workflows", "outside_schedule")
