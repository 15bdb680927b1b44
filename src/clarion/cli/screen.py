"""What a verb shows: colours and panels on a terminal, plain lines anywhere else."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from clarion.cli.arrival import Push, one_line
from clarion.model.clock import Millis

_PANEL_WIDTH = 38


class Screen:
    """Writes to standard output and flushes every line. Long lines stay whole, so that they can be copied."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        self._terminal = sys.stdout.isatty()
        self._console = Console(force_terminal=self._terminal)

    def say(self, line: str = "", style: str = "") -> None:
        """One line, as it is."""
        self._console.print(line, style=style, markup=False, highlight=False, emoji=False, soft_wrap=True)

    def heading(self, line: str) -> None:
        """The line above a part, after an empty one."""
        self.say()
        self.say(line, "bold cyan")

    def rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names and what they mean, in two columns."""
        width = max(len(name) for name, _ in rows)
        for name, meaning in rows:
            line = Text.assemble("  ", (name.ljust(width), "bold"), "  ", meaning)
            self._console.print(line, soft_wrap=True)

    def push(self, push: Push) -> None:
        """A push as one line."""
        phone, title, body = map(one_line, (push.phone, push.title, push.body))
        line = Text.assemble((push.time, "dim"), "  ", (phone, "bold green"), f"  {title}: {body}")
        self._console.print(line, soft_wrap=True)

    @contextmanager
    def phones(self, names: Sequence[str]) -> Iterator[Callable[[Push, Millis], None]]:
        """Phones side by side; call with a push and how long it was under way (ms)."""
        if not self._terminal:
            yield self._plain_phone
            return
        panels = {name: _panel(name, Text("waiting…", "dim")) for name in names}
        with Live(_side_by_side(panels.values()), console=self._console) as live:

            def show(push: Push, took: Millis) -> None:
                panels[push.phone] = _panel(push.phone, _notice(push, took), "green")
                live.update(_side_by_side(panels.values()))

            yield show

    def _plain_phone(self, push: Push, took: Millis) -> None:
        title, body = one_line(push.title), one_line(push.body)
        self.say(f"{push.time}  {one_line(push.phone)}  {title}: {body}  ({took} ms after the trigger)")


def _panel(name: str, inside: RenderableType, border: str = "dim") -> Panel:
    return Panel(inside, title=Text(name), border_style=border, width=_PANEL_WIDTH, height=6)


def _notice(push: Push, took: Millis) -> Text:
    title, body = one_line(push.title), one_line(push.body)
    footer = f"{push.time}, {took} ms after the trigger"
    return Text.assemble((f"{title}\n", "bold"), f"{body}\n", (footer, "dim"))


def _side_by_side(panels: Iterable[Panel]) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_row(*panels)
    return grid
