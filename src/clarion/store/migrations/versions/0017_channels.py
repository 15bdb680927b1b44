"""Channel connections and channel endpoints.

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_SHARED = sa.text("subscriber_pk IS NULL")


def upgrade() -> None:
    op.create_table(
        "channel_connections",
        *_owned("channel_connections", nobodys=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="Workspace and tokens."),
        sqlite_autoincrement=True,
        comment="An integration's connection to a workspace: a subscriber's, or shared in a context.",
    )
    _index("channel_connections", "integration_id", "subscriber_pk", "scope", unique=True)
    op.create_index(
        "ix_channel_connections_shared",
        "channel_connections",
        ["integration_id", "scope"],
        unique=True,
        sqlite_where=_SHARED,
        postgresql_where=_SHARED,
    )
    _index("channel_connections", "environment_id", "pk")
    _index("channel_connections", "subscriber_pk")
    op.create_table(
        "channel_endpoints",
        *_owned("channel_endpoints", nobodys=False),
        sa.Column("connection_pk", _ROW),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="The address."),
        sa.ForeignKeyConstraint(
            ["connection_pk"],
            ["channel_connections.pk"],
            name="fk_channel_endpoints_connection_pk",
            ondelete="SET NULL",
        ),
        sqlite_autoincrement=True,
        comment="An address of a subscriber outside of push.",
    )
    _index("channel_endpoints", "environment_id", "pk")
    for column in ("integration_id", "subscriber_pk", "connection_pk"):
        _index("channel_endpoints", column)


def downgrade() -> None:
    op.drop_table("channel_endpoints")
    op.drop_table("channel_connections")


def _owned(table: str, *, nobodys: bool) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("pk", _ROW, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("integration_id", sa.String(32), nullable=False),
        sa.Column("subscriber_pk", _ROW, nullable=nobodys),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=f"pk_{table}"),
        sa.UniqueConstraint("id", name=f"uq_{table}_id"),
        sa.UniqueConstraint("environment_id", "identifier", name=f"uq_{table}_environment_id_identifier"),
        sa.ForeignKeyConstraint(["environment_id"], ["environments.id"], name=f"fk_{table}_environment_id"),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=f"fk_{table}_integration_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_pk"], ["subscribers.pk"], name=f"fk_{table}_subscriber_pk", ondelete="CASCADE"
        ),
    ]


def _index(table: str, *columns: str, unique: bool = False) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), unique=unique)
