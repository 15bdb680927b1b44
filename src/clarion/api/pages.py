"""Cursor paging both ways, over rows that have an id."""

from collections.abc import Callable
from typing import Annotated, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from clarion.errors import Unprocessable

PageNumber = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""Of a list in pages; rows before it still count in 64 bits."""


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
    fetch: Callable[[R | None, bool, int], list[R]],
    find: Callable[[str], R | None],
    after: str | None,
    before: str | None,
    limit: int,
    include_cursor: bool,
) -> CursorPage[R]:
    """One page. `fetch(anchor, back, most)` reads rows behind the anchor, or before it nearest first."""
    cursor, back = (before, True) if before else (after, False)
    anchor = _anchor(find, cursor, "before" if back else "after")
    shown = limit - 1 if include_cursor and anchor else limit
    rows = fetch(anchor, back, shown + 1)
    more, rows = len(rows) > shown, rows[:shown]
    if include_cursor and anchor:
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
