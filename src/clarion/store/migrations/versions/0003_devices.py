"""What is known of a device beside its token, and the ways to find it.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INDEXES = (("integration_id", "token"), ("integration_id", "chosen_id"), ("subscriber_pk", "chosen_id"))


def upgrade() -> None:
    chosen = "The id that the app chose; without one it goes by pk."
    op.add_column("devices", sa.Column("chosen_id", sa.Text(), nullable=True, comment=chosen))
    for name in ("platform", "app_version", "locale", "timezone"):
        op.add_column("devices", sa.Column(name, sa.Text(), nullable=True))
    for columns in _INDEXES:
        unique = columns == ("subscriber_pk", "chosen_id")
        op.create_index(f"ix_devices_{'_'.join(columns)}", "devices", list(columns), unique=unique)


def downgrade() -> None:
    for columns in _INDEXES:
        op.drop_index(f"ix_devices_{'_'.join(columns)}", "devices")
    for name in ("timezone", "locale", "app_version", "platform", "chosen_id"):
        op.drop_column("devices", name)
