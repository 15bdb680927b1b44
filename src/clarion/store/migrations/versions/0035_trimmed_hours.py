"""When texts and details of an hour's pushes were last forgotten.

Revision: 0035, after 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column, comment in (
        ("texts_at", "When texts of its messages were last forgotten."),
        ("details_at", "When details of its pushes were."),
    ):
        op.add_column(
            "counted_hours",
            sa.Column(column, sa.BigInteger(), nullable=False, server_default="0", comment=comment),
        )


def downgrade() -> None:
    for column in ("details_at", "texts_at"):
        op.drop_column("counted_hours", column)
