"""Members of a topic in the order they joined.

Revision: 0028, after 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_INDEX = "ix_topic_subscriptions_topic_id_pk"


def upgrade() -> None:
    op.create_index(_INDEX, "topic_subscriptions", ["topic_id", "pk"])


def downgrade() -> None:
    op.drop_index(_INDEX, "topic_subscriptions")
