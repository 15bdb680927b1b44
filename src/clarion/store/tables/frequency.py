"""How often somebody may be pushed to, and was."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Json, Row, Time, metadata, of_subscriber

frequency_policies = sa.Table(
    "frequency_policies",
    metadata,
    sa.Column("environment_id", Id, nullable=False),
    sa.Column("caps", Json, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.PrimaryKeyConstraint("environment_id"),
    comment="How often an environment may push to somebody.",
)

frequency_uses = sa.Table(
    "frequency_uses",
    metadata,
    of_subscriber(),
    sa.Column("device_id", Row, nullable=False),
    sa.Column("notification_id", Id, nullable=False),
    sa.Column("step_id", sa.Text, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.PrimaryKeyConstraint("subscriber_pk", "notification_id", "step_id", "device_id"),
    comment="A push that counts towards a cap; device_id is 0 where it counts for its subscriber.",
)
