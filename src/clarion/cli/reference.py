"""The pages of the documentation that are made from the code: API, commands, errors, metrics."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from clarion import errors
from clarion.api.openapi import document
from clarion.api.table import ROUTES
from clarion.cli.main import VERBS, main
from clarion.errors import ClarionError, RequestError, TransportError
from clarion.journal.summary import JournalSummary
from clarion.ops.instruments import REGISTRY
from clarion.ops.metrics import backlog_gauges, health_gauges, journal_gauges

Json = dict[str, Any]


def pages() -> Mapping[str, str]:
    """Each page by its path below `docs`."""
    return {
        "reference/api.md": api(),
        "reference/commands.md": commands(),
        "reference/errors.md": refusals(),
        "reference/metrics.md": metrics(),
    }


def api() -> str:
    """Every operation, by its tag."""
    described = document(ROUTES)
    lines = [
        "# API",
        "",
        "Made from the routes of this version. A running Clarion has the whole OpenAPI document at"
        " `/openapi.json`, with the schema of every body.",
    ]
    by_tag: dict[str, list[str]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).extend(_operation(method.upper(), path, operation))
    for tag, entries in by_tag.items():
        lines += ["", f"## {tag}", *entries]
    return _page(lines)


def _operation(method: str, path: str, operation: Json) -> Iterator[str]:
    yield from ("", f"### {operation['summary']}", "", f"`{method} {path}`", "")
    yield _prose(operation.get("description", ""))
    query = [
        f"`{one['name']}`{'' if one.get('required') else ' (may be left out)'}"
        for one in operation.get("parameters", ())
        if one["in"] == "query"
    ]
    facts = {
        "Query": ", ".join(query),
        "Body": _schema(operation.get("requestBody", {})),
        "Answers": ", ".join(f"`{status}`" for status in operation["responses"]),
    }
    yield ""
    yield from (f"- {name}: {said}" for name, said in facts.items() if said)


def _schema(body: Json) -> str:
    names = []
    for kind, one in body.get("content", {}).items():
        schema = one.get("schema", {})
        names.append(f"`{schema.get('$ref', kind).rpartition('/')[2]}`")
    return ", ".join(names)


def commands() -> str:
    """Every verb with its help."""
    lines = ["# Commands", "", "Made from the commands of this version; `clarion VERB --help` says the same."]
    context = click.Context(main, info_name="clarion")
    for verb in VERBS:
        command = main.get_command(context, verb)
        assert command is not None
        lines += _command(command, click.Context(command, parent=context, info_name=verb), 2)
    return _page(lines)


def _command(command: click.Command, context: click.Context, level: int) -> list[str]:
    lines = ["", f"{'#' * level} {context.command_path}", "", "```text", command.get_help(context), "```"]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            lines += _command(inner, click.Context(inner, parent=context, info_name=name), level + 1)
    return lines


def refusals() -> str:
    """What calls are refused with, and why a request to a provider got no answer."""
    lines = [
        "# Errors",
        "",
        "Made from `clarion.errors`. A call that is refused is answered with an object of `statusCode`,"
        " `timestamp`, `path` and `message`; the message says what to do. 422 has `errors` by field besides.",
        "",
        "| status | error | when |",
        "|---|---|---|",
    ]
    known = sorted(_below(RequestError), key=lambda kind: (kind.status, kind.__name__))
    lines += [f"| {kind.status} | `{kind.__name__}` | {_cell(kind)} |" for kind in known]
    lines += [
        "",
        "## Requests without an answer",
        "",
        "The `code` of a message, or of a delivery to a webhook endpoint, where the other side didn't answer."
        " What providers answer stands in [Providers](../providers.md).",
        "",
        "| code | when |",
        "|---|---|",
    ]
    lines += [f"| `{kind.code}` | {_cell(kind)} |" for kind in _below(TransportError)]
    return _page(lines)


def metrics() -> str:
    """Every figure that /metrics has."""
    gauges = [*journal_gauges(JournalSummary([], 0)), *backlog_gauges(0, 0), *health_gauges([("i", "open")])]
    rows = [(gauge.name, "gauge", gauge.label, gauge.help) for gauge in gauges]
    for family in REGISTRY.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
        rows.append((name, family.type, ", ".join(labels or _labels(family.name)), family.documentation))
    lines = [
        "# Metrics",
        "",
        "Made from what `/metrics` has. [Operations](../operations.md#what-to-watch) says when to worry.",
        "",
        "| figure | kind | labels | what it is |",
        "|---|---|---|---|",
        *(f"| `{name}` | {kind} | {labels} | {help_text} |" for name, kind, labels, help_text in rows),
    ]
    return _page(lines)


def _labels(family: str) -> list[str]:
    """Of a figure that has no value yet."""
    collector = REGISTRY._names_to_collectors.get(family)
    return list(getattr(collector, "_labelnames", ()))


def _below(root: type[Any]) -> list[type[Any]]:
    """The classes of `clarion.errors` below one, that one included, in the order they are written."""
    return [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, root) and issubclass(kind, ClarionError)
    ]


def _cell(kind: type[Any]) -> str:
    return _prose(kind.__doc__ or "").replace("|", "\\|")


def _prose(text: str) -> str:
    return " ".join(text.split()).replace("<", "&lt;").replace("{", "&#123;")


def _page(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
