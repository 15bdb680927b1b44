"""Alembic's way in: migrations always run on the connection that `clarion.store.migrate` hands over."""

from typing import Any, Literal

from alembic import context

from clarion.store.tables import Json, metadata


def _render_json_as_text(kind: str, item: Any, _: Any) -> str | Literal[False]:
    return "sa.Text()" if kind == "type" and isinstance(item, Json) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=_render_json_as_text,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
