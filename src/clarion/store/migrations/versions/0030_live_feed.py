"""The live feed.

Revision: 0030, after 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "live_watchers",
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column(
            "begun_at_seq", sa.BigInteger(), nullable=False, comment="The last event before it was watched."
        ),
        sa.PrimaryKeyConstraint("environment_id", name="pk_live_watchers"),
        comment="Environments of which somebody watches what happens.",
    )
    op.create_table(
        "live_events",
        sa.Column("seq", _ROW, autoincrement=True, nullable=False),
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_live_events"),
        sqlite_autoincrement=True,
        comment="What happened of late in environments that somebody watches.",
    )
    op.create_index("ix_live_events_at", "live_events", ["at"])


def downgrade() -> None:
    op.drop_table("live_events")
    op.drop_table("live_watchers")
