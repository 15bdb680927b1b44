"""Tries of a message before its last.

Revision: 0019, after 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    history = sa.Column(
        "history",
        sa.Text(),
        nullable=False,
        server_default="",
        comment="Tries before the last, a line of JSON each.",
    )
    op.add_column("messages", history)


def downgrade() -> None:
    op.drop_column("messages", "history")
