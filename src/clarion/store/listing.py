"""Lists read a page at a time, in the order that their rows were made in."""

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

COUNT_CAP = 50_000
"""How far a list is counted."""


class Order(NamedTuple):
    """How a list is read: falling or rising, behind an anchor or before it, so many."""

    descending: bool
    back: bool
    most: int

    @property
    def falling(self) -> bool:
        """Whether rows are read from the newest to the oldest."""
        return self.descending != self.back


def in_order(
    query: Select[*tuple[Any, ...]], pk: sa.ColumnElement[int], anchor: int | None, order: Order
) -> Select[*tuple[Any, ...]]:
    """A query's rows behind the row `anchor`, or before it with the nearest first."""
    if anchor is not None:
        query = query.where(pk < anchor if order.falling else pk > anchor)
    return query.order_by(pk.desc() if order.falling else pk).limit(order.most)


def capped(connection: Connection, query: Select[*tuple[Any, ...]]) -> tuple[int, bool]:
    """How many rows a query has, and whether counting stopped."""
    some = query.limit(COUNT_CAP + 1).subquery()
    found = connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0
    return min(found, COUNT_CAP), found > COUNT_CAP
