"""How many deliveries a second a webhook endpoint takes.

Revision: 0032, after 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "Deliveries a second at most; None: any number."
    op.add_column("webhook_endpoints", sa.Column("rate_limit", sa.Integer(), comment=comment))


def downgrade() -> None:
    op.drop_column("webhook_endpoints", "rate_limit")
