"""Lists read a page at a time, in the order that their rows were made in."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

COUNT_CAP = 10_000
"""How far a list is counted: further takes longer than reading its page."""


class Order(NamedTuple):
    """How a list is read: falling or rising, behind an anchor or before it, so many."""

    descending: bool
    back: bool
    most: int

    @property
    def falling(self) -> bool:
        """Whether rows are read from the newest to the oldest."""
        return self.descending != self.back


class Place(NamedTuple):
    """Where a row stands in a list, for readers to go on from when it is gone: its id, and the numbers that
    the list is ordered by."""

    id: str
    numbers: tuple[int, ...]


def in_order(
    query: Select[*tuple[Any, ...]],
    columns: Sequence[sa.ColumnElement[Any]],
    anchor: Sequence[int | str] | None,
    order: Order,
) -> Select[*tuple[Any, ...]]:
    """A query's rows behind an anchor's values of the columns, or before them with the nearest first."""
    if anchor is not None:
        values = (sa.literal(value, column.type) for column, value in zip(columns, anchor, strict=True))
        here, there = sa.tuple_(*columns), sa.tuple_(*values)
        query = query.where(here < there if order.falling else here > there)
    return query.order_by(*(c.desc() if order.falling else c for c in columns)).limit(order.most)


def capped(connection: Connection, query: Select[*tuple[Any, ...]]) -> tuple[int, bool]:
    """How many rows a query has, and whether counting stopped."""
    some = query.limit(COUNT_CAP + 1).subquery()
    found = connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0
    return min(found, COUNT_CAP), found > COUNT_CAP
