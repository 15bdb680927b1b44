"""What notifications are about."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Json, Row, Time, metadata, of_environment

contexts = sa.Table(
    "contexts",
    metadata,
    sa.Column("pk", Row, primary_key=True, autoincrement=True),
    sa.Column("id", Id, nullable=False, unique=True),
    of_environment(),
    sa.Column("key", sa.Text, nullable=False, comment="`type:id`, neither of which has a colon."),
    sa.Column("data", Json, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.UniqueConstraint("environment_id", "key"),
    sa.Index(None, "environment_id", "pk"),
    sqlite_autoincrement=True,
    comment="What notifications are about beside their payload, such as a tenant.",
)
