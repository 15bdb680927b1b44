"""Webhook endpoints and deliveries.

Revision: 0022, after 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=False),
        sa.Column(
            "failing_since", sa.BigInteger(), comment="Since when nothing but failures; None after a success."
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="Secrets and headers."),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoints"),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name="fk_webhook_endpoints_environment_id"
        ),
        comment="A customer's receiver of what happens in an environment.",
    )
    _index("webhook_endpoints", "environment_id", "created_at")
    op.create_table(
        "webhook_deliveries",
        sa.Column("pk", _ROW, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column("endpoint_id", sa.String(32), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="Since it was last asked for."),
        sa.Column("tries", sa.Text(), nullable=False, comment="The last of them, JSON."),
        sa.Column("next_try_at", sa.BigInteger()),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name="pk_webhook_deliveries"),
        sa.UniqueConstraint("id", name="uq_webhook_deliveries_id"),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name="fk_webhook_deliveries_environment_id"
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name="fk_webhook_deliveries_endpoint_id",
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True,
        comment="One event to one endpoint, with what was sent and answered.",
    )
    _index("webhook_deliveries", "endpoint_id", "pk")
    _index("webhook_deliveries", "endpoint_id", "happened_at")
    _index("webhook_deliveries", "environment_id")
    _index("webhook_deliveries", "updated_at")


def downgrade() -> None:
    op.drop_table("webhook_deliveries")
    op.drop_table("webhook_endpoints")


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
