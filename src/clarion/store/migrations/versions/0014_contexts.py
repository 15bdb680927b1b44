"""Contexts, and the scope of a trigger.

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "contexts",
        sa.Column("pk", _ROW, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="`type:id`, neither of which has a colon."),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["environment_id"], ["environments.id"], name="fk_contexts_environment_id"),
        sa.PrimaryKeyConstraint("pk", name="pk_contexts"),
        sa.UniqueConstraint("id", name="uq_contexts_id"),
        sa.UniqueConstraint("environment_id", "key", name="uq_contexts_environment_id_key"),
        sqlite_autoincrement=True,
        comment="What notifications are about beside their payload, such as a tenant.",
    )
    op.create_index("ix_contexts_environment_id_pk", "contexts", ["environment_id", "pk"])
    scope = sa.Column("scope", sa.Text(), comment="The keys of its contexts, sorted; None without any.")
    op.add_column("triggers", scope)


def downgrade() -> None:
    op.drop_column("triggers", "scope")
    op.drop_table("contexts")
