"""Statistics by the hour."""

import sqlalchemy as sa

from clarion.store.tables.columns import Id, Time, metadata

counted_hours = sa.Table(
    "counted_hours",
    metadata,
    sa.Column("environment_id", Id, nullable=False),
    sa.Column("hour", Time, nullable=False, comment="Its beginning, by when triggers were accepted."),
    sa.Column("counted_at", Time, nullable=False),
    sa.Column("opened_at", Time, nullable=False, comment="When opened messages were last counted."),
    sa.Column("settled", sa.Boolean, nullable=False, comment="Nothing of it was under way."),
    sa.Column(
        "texts_at",
        Time,
        nullable=False,
        server_default="0",
        comment="When texts of its messages were last forgotten.",
    ),
    sa.Column(
        "details_at",
        Time,
        nullable=False,
        server_default="0",
        comment="When details of its pushes were.",
    ),
    sa.PrimaryKeyConstraint("environment_id", "hour"),
    comment="Hours of statistics that were counted.",
)

hourly_counts = sa.Table(
    "hourly_counts",
    metadata,
    sa.Column("environment_id", Id, nullable=False),
    sa.Column("hour", Time, nullable=False, comment="That of the triggers."),
    sa.Column("at", Time, nullable=False, comment="The hour it came about in."),
    sa.Column("integration_id", Id, nullable=False, comment="Empty for what is of a workflow alone."),
    sa.Column("workflow_id", Id, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("took", sa.BigInteger, nullable=False),
    sa.Column("slowest", sa.BigInteger, nullable=False),
    sa.Column("dead", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("environment_id", "hour", "at", "integration_id", "workflow_id", "status"),
    *(
        sa.Index(f"ix_hourly_counts_environment_id_{name}", "environment_id", name, "hour")
        for name in ("integration_id", "workflow_id")
    ),
    comment="What became of the pushes of an hour.",
)
