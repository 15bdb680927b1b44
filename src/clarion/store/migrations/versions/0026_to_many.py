"""An index of the triggers to everybody or to topics, which are few among many.

Revision: 0026, after 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_FEW = sa.text("audience IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_triggers_to_many",
        "triggers",
        ["environment_id", "id"],
        sqlite_where=_FEW,
        postgresql_where=_FEW,
    )


def downgrade() -> None:
    op.drop_index("ix_triggers_to_many", "triggers")
