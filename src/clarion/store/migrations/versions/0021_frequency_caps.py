"""Frequency caps, and what counts towards them.

Revision: 0021, after 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "frequency_policies",
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column("caps", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("environment_id", name="pk_frequency_policies"),
        comment="How often an environment may push to somebody.",
    )
    row = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "frequency_uses",
        sa.Column(
            "subscriber_pk",
            row,
            sa.ForeignKey("subscribers.pk", ondelete="CASCADE", name="fk_frequency_uses_subscriber_pk"),
            nullable=False,
        ),
        sa.Column("device_id", row, nullable=False),
        sa.Column("notification_id", sa.String(32), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "subscriber_pk", "notification_id", "step_id", "device_id", name="pk_frequency_uses"
        ),
        comment="A push that counts towards a cap; device_id is 0 where it counts for its subscriber.",
    )


def downgrade() -> None:
    op.drop_table("frequency_uses")
    op.drop_table("frequency_policies")
