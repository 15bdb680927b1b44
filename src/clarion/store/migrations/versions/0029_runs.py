"""Runs of workflows whose steps take time.

Revision: 0029, after 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column("id", sa.String(32), nullable=False, comment="That of its notification."),
        sa.Column("trigger_id", sa.String(32), nullable=False),
        sa.Column("subscriber_pk", _ROW, nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("extensions", sa.Integer(), nullable=False),
        sa.Column("wake_at", sa.BigInteger()),
        sa.Column("digest_key", sa.Text(), comment="While others are merged into it."),
        sa.Column("merged_into", sa.String(32)),
        sa.Column("results", sa.Text(), nullable=False),
        sa.Column("bulk", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False, comment="Among those that began together."),
        sa.ForeignKeyConstraint(["environment_id"], ["environments.id"], name="fk_runs_environment_id"),
        sa.ForeignKeyConstraint(
            ["subscriber_pk"], ["subscribers.pk"], name="fk_runs_subscriber_pk", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("environment_id", "id", name="pk_runs"),
        comment="A workflow on its way through its steps for one recipient.",
    )
    op.create_index("ix_runs_trigger_id_id", "runs", ["trigger_id", "id"])
    op.create_index("ix_runs_subscriber_pk", "runs", ["subscriber_pk"])
    for name, columns, unique, where in _PARTIAL:
        op.create_index(
            name, "runs", columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
    op.create_table(
        "step_uses",
        sa.Column("subscriber_pk", _ROW, nullable=False),
        sa.Column("use_key", sa.String(32), nullable=False),
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_pk"], ["subscribers.pk"], name="fk_step_uses_subscriber_pk", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subscriber_pk", "use_key", "run_id", name="pk_step_uses"),
        comment="When runs passed a throttle or came to a digest, by what these group by.",
    )


_PARTIAL = (
    ("ix_runs_digest", ["environment_id", "digest_key"], True, "digest_key IS NOT NULL"),
    ("ix_runs_merged", ["environment_id", "merged_into"], False, "merged_into IS NOT NULL"),
    ("ix_runs_open", ["environment_id", "id"], False, "open"),
)


def downgrade() -> None:
    op.drop_table("step_uses")
    op.drop_table("runs")
