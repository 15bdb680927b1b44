"""Answers under idempotency keys.

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency",
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("mark", sa.String(32), nullable=False, comment="Of the method, path and body."),
        sa.Column("status", sa.Integer(), nullable=True, comment="None while the call is running."),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("environment_id", "idempotency_key", name="pk_idempotency"),
        comment="What a call was answered with, for whoever repeats it.",
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"])


def downgrade() -> None:
    op.drop_table("idempotency")
