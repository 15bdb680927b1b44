"""Cursor paging both ways, over rows that have an id."""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Generic, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from clarion.errors import Unprocessable
from clarion.store.listing import Order, Place

T = TypeVar("T")

MOST_ON_PAGE = 100

PageNumber = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""Of a list in pages; rows before it still count in 64 bits."""


class CursorQuery(msgspec.Struct, rename="camel", frozen=True):
    """Query of a list that is read behind a cursor, or before one. Lists are in the order of creation."""

    after: str | None = None
    before: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ON_PAGE)] = 10
    order_direction: Literal["ASC", "DESC"] = "DESC"
    order_by: str = "createdAt"
    include_cursor: bool = False

    @property
    def descending(self) -> bool:
        """Whether the newest come first."""
        return self.order_direction == "DESC"


class OffsetQuery(msgspec.Struct, rename="camel", frozen=True):
    """Query of a list that is read from an offset on; `query` is looked for in what an item is called."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ON_PAGE)] = 50
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0
    order_direction: Literal["ASC", "DESC"] = "DESC"
    query: str | None = None

    @property
    def descending(self) -> bool:
        """Whether the last in the order comes first."""
        return self.order_direction == "DESC"

    def page(self, found: Iterable[T], order: Callable[[T], Any]) -> list[T]:
        """The part of what was found that is asked for, in the order."""
        rows = sorted(found, key=order, reverse=self.descending)
        return rows[self.offset : self.offset + self.limit]


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


class Page(msgspec.Struct, Generic[T], rename="camel"):
    """What is answered of a list behind a cursor: Novu's List…ResponseDto. `totalCountCapped`: there are more
    than were counted."""

    data: list[T]
    next: str | None
    previous: str | None
    total_count: int
    total_count_capped: bool


def counted_page(page: CursorPage[Any], shown: list[T], count: Callable[[], tuple[int, bool]]) -> Page[T]:
    """A page as it is answered. A list that fits on one page needs no counting."""
    whole = page.next is None and page.previous is None
    total, capped = (len(shown), False) if whole else count()
    return Page(shown, page.next, page.previous, total, capped)


def cursor_page(
    fetch: Callable[[Place | None, Order], list[R]],
    find: Callable[[str], R | None],
    numbers: Callable[[R], tuple[int, ...]],
    query: CursorQuery,
    *,
    width: int = 1,
) -> CursorPage[R]:
    """One page. `fetch` reads rows behind a place in an order, or before it with the nearest first; `numbers`
    are those that the order goes by, `width` of them."""

    def place(row: R) -> Place:
        return Place(row.id, numbers(row))

    back = query.before is not None
    anchor = _anchor(query, width, lambda identity: place(row) if (row := find(identity)) else None)
    own = find(anchor.id) if anchor and query.include_cursor else None
    shown = query.limit - 1 if own else query.limit
    rows = fetch(anchor, Order(query.descending, back, shown + 1))
    more, rows = len(rows) > shown, rows[:shown]
    if own:
        rows = [own, *rows]
    if back:
        rows.reverse()
    following = place(rows[-1]) if rows and (back or more) else None
    preceding = place(rows[0]) if rows and (more if back else bool(anchor)) else None
    if not rows and anchor:
        following, preceding = (anchor, None) if back else (None, anchor)
    return CursorPage(rows, _cursor(following), _cursor(preceding))


def _cursor(place: Place | None) -> str | None:
    """A place as text: it says all about itself, so that it is good when its row is gone or has moved."""
    return ".".join([place.id, *map(str, place.numbers)]) if place else None


_CURSOR = re.compile(r"([0-9a-f]{32})((?:\.[0-9]{1,18})*)")


def _anchor(query: CursorQuery, width: int, find: Callable[[str], Place | None]) -> Place | None:
    """The place that a cursor means. The id of a row that is there is one, too, also that of a cursor which
    was made in another order."""
    cursor, parameter = (query.before, "before") if query.before is not None else (query.after, "after")
    if cursor is None:
        return None
    told = _CURSOR.fullmatch(cursor)
    numbers = tuple(map(int, told[2].split(".")[1:])) if told else ()
    if told and len(numbers) == width:
        return Place(told[1], numbers)
    found = find(told[1] if told else cursor)
    if found is None:
        message = "is not a cursor of this list: use next or previous of an answer"
        raise Unprocessable(f"{parameter} {message}", {parameter: [message]})
    return found
