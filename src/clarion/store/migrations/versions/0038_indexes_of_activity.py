"""Find what failed by a word in its error, on SQLite; find the hours of an integration or a workflow.

PostgreSQL takes no index of long texts.

Revision: 0038, after 0037
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_FAILED, _HOURS = "ix_messages_not_delivered", "ix_hourly_counts_environment_id_"
_BY = ["environment_id", "notification_id", "status"]
_NOT_DELIVERED = sa.text("status <> 'delivered'")


def upgrade() -> None:
    for column in ("integration_id", "workflow_id"):
        op.create_index(f"{_HOURS}{column}", "hourly_counts", ["environment_id", column, "hour"])
    _index_failures(*_BY, "code", "explanation")


def _index_failures(*columns: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index(_FAILED, "messages")
        op.create_index(_FAILED, "messages", list(columns), sqlite_where=_NOT_DELIVERED)


def downgrade() -> None:
    _index_failures(*_BY)
    for column in ("integration_id", "workflow_id"):
        op.drop_index(f"{_HOURS}{column}", "hourly_counts")
