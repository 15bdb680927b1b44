"""Lanes of triggers and broadcasts for each environment; what waits goes to one without a name.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STAGES = ("accepted", "page", "chunk")


def upgrade() -> None:
    journal = sa.table("journal", sa.column("lane", sa.Text))
    op.execute(journal.update().where(journal.c.lane.in_(_STAGES)).values(lane=journal.c.lane + ":"))


def downgrade() -> None:
    journal = sa.table("journal", sa.column("lane", sa.Text))
    for stage in _STAGES:
        op.execute(journal.update().where(journal.c.lane.startswith(stage + ":")).values(lane=stage))
