"""What everything belongs to: environments with their keys and variables."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Time, metadata, of_environment

organizations = sa.Table(
    "organizations",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", Time, nullable=False),
)

environments = sa.Table(
    "environments",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("identifier", sa.Text, nullable=False, unique=True),
    sa.Column("type", sa.Text),
    sa.Column("color", sa.Text),
    sa.Column("parent_id", Id),
    sa.Column("created_at", Time, nullable=False),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", Id, primary_key=True),
    of_environment(),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("revoked_at", Time),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("expires_at", Time, comment="When it stops; None for one that was not replaced."),
)

environment_variables = sa.Table(
    "environment_variables",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("is_secret", sa.Boolean, nullable=False),
    sa.Column("sealed_values", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    comment="What templates name as env.KEY: a value for each environment.",
)

catalog = sa.Table(
    "catalog",
    metadata,
    sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
    comment="One row: counts the changes of environments, keys, integrations and workflows.",
)
