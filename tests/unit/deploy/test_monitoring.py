"""Alerts and dashboard name figures that there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from clarion.journal.summary import JournalSummary
from clarion.ops import instruments
from clarion.ops.metrics import backlog_gauges, health_gauges, journal_gauges

ROOT = Path(__file__).parents[3]
MONITORING = ROOT / "deploy" / "monitoring"
FIGURE = re.compile(r"\b((?:clarion|process)_[a-z_]+)")
PAIRS = {"(": ")", "[": "]", "{": "}"}
KNOWN_LABELS = {
    "lane",
    "integration",
    "provider",
    "status",
    "outcome",
    "result",
    "le",
    "instance",
    "operation",
}


def there_are() -> set[str]:
    """Every name that /metrics has, those of histograms' parts too."""
    gauges = [*journal_gauges(JournalSummary([], 0)), *backlog_gauges(1, 0), *health_gauges([("i", "open")])]
    names = {gauge.name for gauge in gauges}
    for family in instruments.REGISTRY.collect():
        parts = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
        names |= {family.name + part for part in parts}
    return names


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((MONITORING / "grafana-dashboard.json").read_text())["panels"]
    return found


EXPRESSIONS = [
    *((rule["alert"], rule["expr"]) for rule in alerts()),
    *((panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]),
]


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_every_figure_named_exists_and_every_bracket_closes(where: str, expression: str) -> None:
    named = set(FIGURE.findall(expression))
    assert named, where
    assert named <= there_are(), where
    opened: list[str] = []
    for sign in re.sub(r'"[^"]*"', "", expression):
        if sign in PAIRS:
            opened.append(PAIRS[sign])
        elif sign in PAIRS.values():
            assert opened, where
            assert opened.pop() == sign, where
    assert opened == [], where
    grouped = re.findall(r"by \(([^)]*)\)", expression)
    assert {label.strip() for group in grouped for label in group.split(",")} <= KNOWN_LABELS


def test_every_figure_is_on_the_dashboard_and_in_the_documentation() -> None:
    shown = {name for panel in panels() for t in panel["targets"] for name in FIGURE.findall(t["expr"])}
    text = (ROOT / "docs" / "operations.md").read_text()
    for name in there_are():
        if not name.startswith("clarion_"):
            continue
        whole = re.sub(r"_(bucket|sum|count)$", "", name)
        assert any(shown_name.startswith(whole) for shown_name in shown), name
        assert f"`{whole}" in text, name


def test_every_alert_says_what_to_do() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names)) >= 8
    for rule in alerts():
        assert re.fullmatch(r"[0-9]+m", rule["for"])
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert {"summary", "action"} == set(rule["annotations"])


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    assert len({panel["id"] for panel in panels()}) == len(panels())
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells
