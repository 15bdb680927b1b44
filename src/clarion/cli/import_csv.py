"""Device tokens from a CSV file."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from clarion.cli.caller import ApiCaller
from clarion.errors import SettingsError

AT_ONCE = 500
NEEDED = ("subscriberId", "token")
PROFILE = ("firstName", "lastName", "email", "phone", "locale", "timezone")

Line = tuple[int, dict[str, Any]]


async def import_csv(
    here: ApiCaller, file: Path, identifier: str, say: Callable[[str], None], *, dry_run: bool
) -> int:
    """Add the tokens of a file to an integration; how many lines were refused."""
    provider_id = await _provider_of(here, identifier)
    taken = refused = 0
    with file.open(newline="", encoding="utf-8-sig") as text:
        for lines in _together(_lines(text, provider_id, identifier)):
            wrong = [] if dry_run else await _send(here, lines)
            for number, reason in wrong:
                say(f"line {number}: {reason}")
            taken, refused = taken + len(lines) - len(wrong), refused + len(wrong)
    would = "would be added" if dry_run else "added"
    say(f"{taken:,} lines {would}, {refused:,} refused")
    return refused


async def _provider_of(here: ApiCaller, identifier: str) -> str:
    for item in await here.call("GET", "/v1/integrations"):
        if identifier in (item["identifier"], item["_id"]) and item["active"]:
            return str(item["providerId"])
    raise SettingsError(f"there is no active integration {identifier}: make it, or switch it on, first")


def _lines(text: Any, provider_id: str, identifier: str) -> Iterator[Line]:
    """The file's lines as people to add; `SettingsError` where it can't be read as CSV in UTF-8."""
    reader = csv.DictReader(text)
    try:
        yield from _people(reader, provider_id, identifier)
    except (UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"the file can't be read behind line {reader.line_num}: {error}") from error


def _people(reader: "csv.DictReader[str]", provider_id: str, identifier: str) -> Iterator[Line]:
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise SettingsError(f"the file's first line names no column {' and no '.join(missing)}")
    for row in reader:
        channel = {
            "providerId": provider_id,
            "integrationIdentifier": identifier,
            "credentials": {"deviceTokens": [row["token"] or ""]},
        }
        profile = {name: row[name] for name in PROFILE if row.get(name)}
        yield reader.line_num, {"subscriberId": row["subscriberId"] or "", **profile, "channels": [channel]}


def _together(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Cut so that a subscriber stands once in a call: its failure is then of one line."""
    part: list[Line] = []
    names: set[str] = set()
    for line in lines:
        if len(part) == AT_ONCE or line[1]["subscriberId"] in names:
            yield part
            part, names = [], set()
        part.append(line)
        names.add(line[1]["subscriberId"])
    if part:
        yield part


async def _send(here: ApiCaller, lines: list[Line]) -> list[tuple[int, str]]:
    answer = await here.call("POST", "/v1/subscribers/bulk", {"subscribers": [line for _, line in lines]})
    numbers = {line["subscriberId"]: number for number, line in lines}
    return [(numbers[item.get("subscriberId", "")], item["message"]) for item in answer["failed"]]
