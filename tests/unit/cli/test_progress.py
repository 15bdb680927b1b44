import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from clarion.api.transactions import TransactionOut
from clarion.cli.pace import Pace
from clarion.cli.progress import line, progress, span, view
from looks import seen

NOW = datetime(2026, 11, 24, 10, 0, 0, tzinfo=UTC)
HALF_WAY = seen(
    audience=100_000,
    addressed=50_000,
    messages=60_000,
    delivered=41_000,
    failed=7,
    skipped=3,
    in_flight=18_993,
)


def paced(last: TransactionOut) -> Pace:
    """1,000 a second for two seconds."""
    pace = Pace()
    before = seen(addressed=1, messages=1, delivered=last.delivered + last.failed - 2000)
    pace.note(0, before)
    pace.note(2, last)
    return pace


def test_a_line_says_everything() -> None:
    assert line(HALF_WAY, paced(HALF_WAY), NOW) == (
        "10:00:00  delivering  addressed 50,000/100,000  delivered 41,000  failed 7  skipped 3"
        "  in flight 18,993  1,000/s  79 s left, until 10:01:18"
    )


def test_what_is_over_has_its_average_and_no_end() -> None:
    over = seen(state="completed", addressed=2, messages=2, delivered=2, rate_per_second=1999.6)
    text = line(over, paced(over), NOW)
    assert text.endswith("  in flight 0  2,000/s on average")
    assert "left" not in text


def test_what_was_cancelled_says_how_much_was_taken_back() -> None:
    taken = seen(state="cancelled", addressed=9, messages=9, delivered=2, cancelled=7)
    assert line(taken, paced(taken), NOW).endswith("  in flight 0  cancelled 7")


def test_a_pause_has_no_expected_end() -> None:
    paused = seen(state="paused", audience=10, addressed=5, messages=5, delivered=4, in_flight=1)
    assert "left" not in line(paused, paced(paused), NOW)


def test_the_live_view_shows_the_same_with_a_bar() -> None:
    stream = io.StringIO()
    Console(file=stream, width=100).print(view(HALF_WAY, paced(HALF_WAY), NOW))
    text = stream.getvalue()
    assert "txn_1  news  delivering" in text
    assert "━" * 20 in text
    assert "━" * 21 not in text
    assert " 50,000 of 100,000 addressed" in text
    assert "delivered 41,000  failed 7  skipped 3  in flight 18,993" in text
    assert "79 s left" in text


def test_a_name_does_not_steer_the_terminal() -> None:
    stream = io.StringIO()
    named = seen(transaction_id="a\x1b[2J[red]b", workflow_id=None)
    Console(file=stream, width=100).print(view(named, paced(named), NOW))
    assert "a [2J[red]b  workflow removed" in stream.getvalue()


def test_without_a_terminal_there_is_a_line_a_second_and_the_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    moments = [0.0]
    with progress(lambda: moments[-1]) as show:
        for at, look in ((0.0, 1), (0.5, 2), (1.0, 3), (1.5, 4)):
            moments.append(at)
            found = seen(addressed=look, state="completed" if look == 4 else "delivering")
            show(found, paced(found))
    lines = capsys.readouterr().out.splitlines()
    assert [text.split()[2:4] for text in lines] == [["addressed", f"{n}/{n}"] for n in (1, 3, 4)]
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_a_span_is_in_the_unit_people_use(seconds: float, text: str) -> None:
    assert span(seconds) == text
