"""Who is notified."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Json, Row, Time, metadata, of_environment, partial_index

# On SQLite triggers keep an index of their names (migration 0037); to copy the table anew would lose them.
subscribers = sa.Table(
    "subscribers",
    metadata,
    sa.Column("pk", Row, primary_key=True, autoincrement=True),
    sa.Column("id", Id, nullable=False, unique=True),
    of_environment(),
    sa.Column("subscriber_id", sa.Text, nullable=False),
    sa.Column("first_name", sa.Text),
    sa.Column("last_name", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("phone", sa.Text),
    sa.Column("avatar", sa.Text),
    sa.Column("locale", sa.Text),
    sa.Column("timezone", sa.Text),
    sa.Column("data", Json),
    sa.Column("is_online", sa.Boolean),
    sa.Column("last_online_at", Time),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.UniqueConstraint("environment_id", "subscriber_id"),
    sa.Index(None, "environment_id", "pk"),
    sa.Index(None, "environment_id", "updated_at", "pk"),
    partial_index(
        "ix_subscribers_environment_id_email", "environment_id", "email", where="email IS NOT NULL"
    ),
    partial_index(
        "ix_subscribers_environment_id_phone", "environment_id", "phone", where="phone IS NOT NULL"
    ),
    sqlite_autoincrement=True,
)
