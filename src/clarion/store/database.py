"""The port to the database: functions over an open connection, read or written.

`write` is durable when it returns. Writes of concurrent callers share a commit; each still
succeeds or fails alone.
"""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy.engine import Connection

P = ParamSpec("P")
T = TypeVar("T")


class Database(Protocol):
    """One database, whatever its kind."""

    async def read(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `query` on a connection that sees everything committed so far."""
        ...

    async def write(
        self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `change` in a transaction and return once it is on disk; an exception undoes it alone."""
        ...

    async def write_alone(
        self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same for a change of one statement, which needs no transaction around it."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""
        ...
