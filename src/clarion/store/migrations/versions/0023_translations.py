"""Translations, and layouts of e-mails.

Revision: 0023, after 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "translations",
        sa.Column("id", sa.String(32), nullable=False, comment="Another content has another id."),
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.String(32), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_translations"),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name="fk_translations_environment_id"
        ),
        sa.UniqueConstraint("resource_id", "locale", name="uq_translations_resource_id_locale"),
        comment="The texts of a workflow or a layout in one locale.",
    )
    op.create_index("ix_translations_environment_id_locale", "translations", ["environment_id", "locale"])
    op.create_table(
        "layouts",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("environment_id", sa.String(32), nullable=False),
        sa.Column("layout_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_translation_enabled", sa.Boolean(), nullable=False),
        sa.Column("controls", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_layouts"),
        sa.ForeignKeyConstraint(["environment_id"], ["environments.id"], name="fk_layouts_environment_id"),
        sa.UniqueConstraint("environment_id", "layout_id", name="uq_layouts_environment_id_layout_id"),
        comment="A frame around e-mails.",
    )


def downgrade() -> None:
    op.drop_table("layouts")
    op.drop_table("translations")
