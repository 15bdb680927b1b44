"""Virtual phones and the pushes they got.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    phones = op.create_table(
        "sandbox_phones",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("environment_id", sa.String(length=32), nullable=False),
        sa.Column("subscriber_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_sandbox_phones_environment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_phones")),
        comment="A virtual phone. A removed one stays, so that its token is known to be dead.",
    )
    op.create_index(op.f("ix_sandbox_phones_environment_id"), phones.name, ["environment_id"])
    row = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    pushes = op.create_table(
        "sandbox_pushes",
        sa.Column("pk", row, autoincrement=True, nullable=False),
        sa.Column("phone_id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["phone_id"],
            ["sandbox_phones.id"],
            name=op.f("fk_sandbox_pushes_phone_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_sandbox_pushes")),
        comment="What a virtual phone shows.",
    )
    op.create_index(op.f("ix_sandbox_pushes_phone_id_message_id"), pushes.name, ["phone_id", "message_id"])


def downgrade() -> None:
    op.drop_table("sandbox_pushes")
    op.drop_table("sandbox_phones")
