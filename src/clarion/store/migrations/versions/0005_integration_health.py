"""How integrations stand.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "integration_health",
        sa.Column("integration_id", sa.String(length=32), nullable=False),
        sa.Column("environment_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("configured_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("integration_id", name=op.f("pk_integration_health")),
        comment="How an integration stands; what its breaker last told.",
    )
    row = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "integration_changes",
        sa.Column("id", row, autoincrement=True, nullable=False),
        sa.Column("environment_id", sa.String(length=32), nullable=False),
        sa.Column("integration_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_changes")),
        comment="When an integration degraded, was paused or recovered.",
    )
    op.create_index(
        op.f("ix_integration_changes_integration_id_id"), "integration_changes", ["integration_id", "id"]
    )


def downgrade() -> None:
    op.drop_table("integration_changes")
    op.drop_table("integration_health")
