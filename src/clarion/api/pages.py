"""Cursor paging both ways, over rows that have an id."""

from collections.abc import Callable
from typing import Annotated, Generic, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from clarion.errors import Unprocessable
from clarion.store.listing import Order

PageNumber = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""Of a list in pages; rows before it still count in 64 bits."""


class CursorQuery(msgspec.Struct, rename="camel", frozen=True):
    """Query of a list that is read behind a cursor, or before one. Lists are in the order of creation."""

    after: str | None = None
    before: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10
    order_direction: Literal["ASC", "DESC"] = "DESC"
    order_by: str = "createdAt"
    include_cursor: bool = False

    @property
    def descending(self) -> bool:
        """Whether the newest come first."""
        return self.order_direction == "DESC"


class HasId(Protocol):
    """A row that a cursor can name."""

    @property
    def id(self) -> str:
        """Its id."""
        ...


R = TypeVar("R", bound=HasId)


class CursorPage(NamedTuple, Generic[R]):
    """Rows in order, and the cursors to what is before and after."""

    rows: list[R]
    next: str | None
    previous: str | None


def cursor_page(
    fetch: Callable[[R | None, Order], list[R]], find: Callable[[str], R | None], query: CursorQuery
) -> CursorPage[R]:
    """One page. `fetch` reads rows behind an anchor in an order, or before it with the nearest first."""
    cursor, back = (query.before, True) if query.before else (query.after, False)
    anchor = _anchor(find, cursor, "before" if back else "after")
    shown = query.limit - 1 if query.include_cursor and anchor else query.limit
    rows = fetch(anchor, Order(query.descending, back, shown + 1))
    more, rows = len(rows) > shown, rows[:shown]
    if query.include_cursor and anchor:
        rows = [anchor, *rows]
    if back:
        rows.reverse()
    following = rows[-1].id if rows and (back or more) else None
    preceding = rows[0].id if rows and (more if back else bool(anchor)) else None
    if not rows and anchor:
        following, preceding = (anchor.id, None) if back else (None, anchor.id)
    return CursorPage(rows, following, preceding)


def _anchor(find: Callable[[str], R | None], cursor: str | None, parameter: str) -> R | None:
    if cursor is None:
        return None
    found = find(cursor)
    if found is None:
        message = "is not a cursor of this list: use next or previous of an answer"
        raise Unprocessable(f"{parameter} {message}", {parameter: [message]})
    return found
