"""Find subscribers by a part of their name, on PostgreSQL.

Without its extension for that (part of every distribution, and open to a database's owner) the search reads
every subscriber of the environment, as it does on SQLite.

Revision: 0015, after 0014
"""

import logging

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    try:
        with connection.begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except sa.exc.DBAPIError as error:
        logging.getLogger(__name__).warning(
            "The search by name has no index: create the extension pg_trgm as the database's owner, then"
            " the index of migration 0015 (%s)",
            error.orig,
        )
        return
    op.execute(
        "CREATE INDEX ix_subscribers_full_name ON subscribers USING gin"
        " (trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')) gin_trgm_ops)"
        " WHERE first_name IS NOT NULL OR last_name IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS ix_subscribers_full_name")
