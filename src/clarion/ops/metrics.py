"""Figures to watch, in the text format of Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from clarion.journal.port import ACCEPTED_PREFIX, CHUNK_PREFIX, PAGE_PREFIX
from clarion.journal.summary import JournalSummary, LaneSummary
from clarion.model.clock import SECOND

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

MOST_LANES = 100
"""Values of the label `lane`, the stages before delivery apart; more are told as one."""

OTHER_LANES = "other"
_STAGES = (ACCEPTED_PREFIX, PAGE_PREFIX, CHUNK_PREFIX)


class Gauge(NamedTuple):
    """One figure, by the values of at most one label."""

    name: str
    help: str
    values: Sequence[tuple[str, float]]
    label: str = ""


def exposition(gauges: Sequence[Gauge]) -> str:
    """The document that Prometheus reads."""
    return "".join(f"{line}\n" for gauge in gauges for line in _lines(gauge))


def backlog_gauges(limit: int, over: int) -> list[Gauge]:
    """In how many environments triggers are refused, and from where on."""
    return [
        Gauge("clarion_backlog_limit", "Accepted records of an environment that may wait.", [("", limit)]),
        Gauge("clarion_backlog_over", "Environments whose triggers are answered 503.", [("", over)]),
    ]


def journal_gauges(summary: JournalSummary) -> list[Gauge]:
    """What waits, lane by lane."""
    lanes = [*_stages(summary.lanes), *_capped(summary.lanes)]
    return [
        Gauge("clarion_journal_records", "Records that wait or are worked on.", _records(lanes), "lane"),
        Gauge("clarion_journal_due", "Records that may be claimed now.", _due(lanes), "lane"),
        Gauge(
            "clarion_journal_oldest_seconds",
            "Seconds since the trigger of the record next in line was accepted.",
            _ages(lanes),
            "lane",
        ),
        Gauge("clarion_journal_parked", "Records set aside with an error.", [("", summary.parked)]),
    ]


def health_gauges(states: Sequence[tuple[str, str]]) -> list[Gauge]:
    """Which integrations rest: (identifier, state) of each that doesn't send."""
    values = [(identifier, _STATES.get(state, 0.0)) for identifier, state in states]
    help_text = "0 while messages go out, 1 while the provider is away, 2 while the set-up is refused."
    return [Gauge("clarion_integration_breaker", help_text, values, "integration")] if values else []


_STATES = {"open": 1.0, "paused": 2.0}


def _records(lanes: Sequence[LaneSummary]) -> list[tuple[str, float]]:
    return [(lane.lane, lane.records) for lane in lanes]


def _due(lanes: Sequence[LaneSummary]) -> list[tuple[str, float]]:
    return [(lane.lane, lane.due) for lane in lanes if lane.due is not None]


def _ages(lanes: Sequence[LaneSummary]) -> list[tuple[str, float]]:
    return [(lane.lane, lane.oldest / SECOND) for lane in lanes if lane.oldest is not None]


def _stages(lanes: Sequence[LaneSummary]) -> list[LaneSummary]:
    """What waits before delivery, of all environments together; empty ones too: a series that ends can't be
    watched."""
    return [
        _together(prefix.rstrip(":"), [lane for lane in lanes if lane.lane.startswith(prefix)])
        for prefix in _STAGES
    ]


def _capped(lanes: Sequence[LaneSummary]) -> list[LaneSummary]:
    """The fullest of the other lanes, and the rest as one."""
    others = [lane for lane in lanes if not lane.lane.startswith(_STAGES)]
    fullest = sorted(others, key=lambda lane: -lane.records)
    shown, rest = fullest[:MOST_LANES], fullest[MOST_LANES:]
    return [*shown, _together(OTHER_LANES, rest)] if rest else shown


def _together(name: str, lanes: Sequence[LaneSummary]) -> LaneSummary:
    ages = [lane.oldest for lane in lanes if lane.oldest is not None]
    return LaneSummary(
        name,
        sum(lane.records for lane in lanes),
        _sum([lane.due for lane in lanes]),
        _sum([lane.leased for lane in lanes]),
        max(ages, default=None if lanes else 0),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    """None where one isn't known."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _lines(gauge: Gauge) -> Iterator[str]:
    yield f"# HELP {gauge.name} {gauge.help}"
    yield f"# TYPE {gauge.name} gauge"
    for value_of_label, value in gauge.values:
        labels = f'{{{gauge.label}="{_escaped(value_of_label)}"}}' if gauge.label else ""
        yield f"{gauge.name}{labels} {value:.10g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
