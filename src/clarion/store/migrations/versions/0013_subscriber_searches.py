"""Ways to find subscribers by what they are searched for.

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_subscribers_environment_id_updated_at_pk", "subscribers", ["environment_id", "updated_at", "pk"]
    )
    for name in ("email", "phone"):
        known = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"ix_subscribers_environment_id_{name}",
            "subscribers",
            ["environment_id", name],
            sqlite_where=known,
            postgresql_where=known,
        )


def downgrade() -> None:
    for name in ("phone", "email", "updated_at_pk"):
        op.drop_index(f"ix_subscribers_environment_id_{name}", "subscribers")
