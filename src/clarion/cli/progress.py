"""How far a transaction is, on a terminal as a live view and anywhere else as a line a second."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from clarion.api.transactions import TransactionOut
from clarion.cli.arrival import one_line
from clarion.cli.pace import Pace, people

ENDED = ("completed", "cancelled")
Show = Callable[[TransactionOut, Pace], None]

_EVERY_SECONDS = 1.0
_BAR_WIDTH = 40
_STYLES = {"completed": "green", "cancelled": "red", "paused": "yellow"}


@contextmanager
def progress(clock: Callable[[], float]) -> Iterator[Show]:
    """What shows each look; `clock` gives seconds."""
    terminal = sys.stdout.isatty()
    console = Console(force_terminal=terminal)
    if not terminal:
        yield _plain(console, clock)
        return
    with Live(console=console, refresh_per_second=4) as live:
        yield lambda seen, pace: live.update(view(seen, pace, datetime.now().astimezone()))


def _plain(console: Console, clock: Callable[[], float]) -> Show:
    """A line a second; the last one always."""
    due = clock()

    def show(seen: TransactionOut, pace: Pace) -> None:
        nonlocal due
        if clock() >= due or seen.state in ENDED:
            due = clock() + _EVERY_SECONDS
            text = line(seen, pace, datetime.now().astimezone())
            console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)

    return show


def line(seen: TransactionOut, pace: Pace, now: datetime) -> str:
    """Everything in one line."""
    counts = "  ".join(f"{name} {number:,}" for name, number in _counts(seen))
    share = f"addressed {seen.addressed:,}/{people(seen):,}"
    parts = (f"{now:%H:%M:%S}", seen.state, share, counts, *_speed(seen, pace, now))
    return "  ".join(parts)


def view(seen: TransactionOut, pace: Pace, now: datetime) -> Group:
    """The same with a bar."""
    title = Text.assemble(
        (one_line(seen.transaction_id), "bold"),
        f"  {one_line(seen.workflow_id or 'workflow removed')}  ",
        (seen.state, _STYLES.get(seen.state, "cyan")),
    )
    return Group(title, _bar(seen), _table(seen), Text("  ".join(_speed(seen, pace, now)), "dim"))


def _bar(seen: TransactionOut) -> Table:
    total = people(seen)
    bar = ProgressBar(total=max(total, 1), completed=seen.addressed if total else 1, width=_BAR_WIDTH)
    row = Table.grid(padding=(0, 1))
    row.add_row(bar, f"{seen.addressed:,} of {total:,} addressed")
    return row


def _table(seen: TransactionOut) -> Table:
    row = Table.grid(padding=(0, 2))
    row.add_row(*(Text.assemble(f"{name} ", (f"{number:,}", "bold")) for name, number in _counts(seen)))
    return row


def _counts(seen: TransactionOut) -> list[tuple[str, int]]:
    counts = [
        ("delivered", seen.delivered),
        ("failed", seen.failed),
        ("skipped", seen.skipped),
        ("in flight", seen.in_flight),
    ]
    return [*counts, ("cancelled", seen.cancelled)] if seen.cancelled else counts


def _speed(seen: TransactionOut, pace: Pace, now: datetime) -> list[str]:
    """The rate of the last seconds and the expected end; at the end the average."""
    if seen.state in ENDED:
        return [f"{seen.rate_per_second:,.0f}/s on average"] if seen.state == "completed" else []
    rate = [f"{pace.rate:,.0f}/s"]
    seconds = pace.seconds_left
    if seconds is None or seen.state == "paused":
        return rate
    return [*rate, f"{span(seconds)} left, until {now + timedelta(seconds=seconds):%H:%M:%S}"]


def span(seconds: float) -> str:
    """A length of time as people say it."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
