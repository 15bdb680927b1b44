"""What tables are made of."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = sa.String(32)
Row = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Time = sa.BigInteger


class Json(TypeDecorator[Any]):
    """A JSON document kept as text."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else msgspec.json.decode(value)


def of_environment() -> sa.Column[str]:
    """The environment that a row belongs to."""
    return sa.Column("environment_id", Id, sa.ForeignKey("environments.id"), nullable=False)


def of_subscriber() -> sa.Column[int]:
    """The subscriber that a row belongs to, and goes with."""
    return sa.Column(
        "subscriber_pk", Row, sa.ForeignKey("subscribers.pk", ondelete="CASCADE"), nullable=False
    )


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> sa.Index:
    """An index of only those rows of which `where` is true."""
    condition = sa.text(where)
    return sa.Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
