"""The chunks of broadcasts that are not addressed yet.

Revision: 0031, after 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "chunks",
        sa.Column("trigger_id", sa.String(32), nullable=False),
        sa.Column("upto", _ROW, nullable=False, comment="Its last row."),
        sa.Column("addressed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trigger_id"], ["triggers.id"], name="fk_chunks_trigger_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trigger_id", "upto", name="pk_chunks"),
        comment="The parts of a broadcast's audience, which are addressed in any order.",
    )


def downgrade() -> None:
    op.drop_table("chunks")
