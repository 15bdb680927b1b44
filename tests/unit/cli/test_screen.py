import io

import pytest

from clarion.cli.arrival import Push
from clarion.cli.screen import Screen

PUSH = Push("ada-iphone", "Welcome", "two\nlines \x1b[2J", {}, 0)
LONG = "curl " + "x" * 300


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard output as a terminal of 80 columns. No fixture: pytest puts its own output in after those."""
    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "40"}.items():
        monkeypatch.setenv(name, value)
    return stream


def shown() -> None:
    screen = Screen()
    with screen.phones(["ada-iphone", "ada-android"]) as show:
        show(PUSH, 42)
    screen.heading("Title [b]:smile:")
    screen.push(PUSH)


def test_without_a_terminal_lines_are_plain(capsys: pytest.CaptureFixture[str]) -> None:
    shown()
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert "╭" not in output
    assert "  ada-iphone  Welcome: two lines [2J  (42 ms after the trigger)\n" in output
    assert "\n\nTitle [b]:smile:\n" in output
    assert output.endswith("  ada-iphone  Welcome: two lines [2J\n")


def test_not_even_forced_colors_reach_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown()
    assert "\x1b" not in capsys.readouterr().out


def test_on_a_terminal_the_phones_stand_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    shown()
    lines = stream.getvalue().splitlines()
    assert any("ada-iphone" in line and "ada-android" in line for line in lines)
    assert "waiting…" in stream.getvalue()
    assert "42 ms after the trigger" in stream.getvalue()


def test_what_a_push_says_does_not_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    shown()
    assert "\x1b[2J" not in stream.getvalue()
    assert "[2J" in stream.getvalue()


def test_long_lines_stay_whole_so_that_they_can_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    Screen().say(LONG)
    assert LONG + "\n" in stream.getvalue()
