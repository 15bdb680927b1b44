"""Which operations of Novu's contract both SDKs were seen to call, and how they were answered."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import httpx
from novu_py import Novu

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "sdk-coverage.md"
Connect = Callable[[str], Novu]
"""Makes the Python SDK for a key."""

SDKS = ("TypeScript", "Python")
UNSUCCESSFUL = {
    "POST /v1/integrations/{integrationId}/set-primary": "a push integration is never the primary one",
}
"""Operations that Clarion refuses on purpose."""

NOT_SENT = {
    ("Python", "POST /v2/translations/upload"),
    ("Python", "POST /v2/translations/master-json/upload"),
}
"""Forms, which an SDK fails to send by itself."""

PREFACE = """\
# Novu's SDKs

Every operation of Novu's contract that Clarion has, and the statuses that the tests saw each SDK take. They
run each SDK with its retries off and on, and fail where an operation was not called with success, or no
refusal of it was read, by both. `pytest tests/wire --write-sdk-coverage` writes this page anew.

| operation | core | TypeScript `@novu/api` | Python `novu-py` |
|---|---|---|---|
"""


class Operation(NamedTuple):
    """A row of endpoints.tsv."""

    method: str
    path: str
    python: str
    successes: frozenset[int]
    core: bool

    @property
    def label(self) -> str:
        """As people write it."""
        return f"{self.method} {self.path}"

    @property
    def segments(self) -> list[str]:
        """The names of what its path is about."""
        return re.findall(r"{(\w+)}", self.path)

    def is_called_by(self, method: str, path: str) -> bool:
        """Whether a request is one of this operation."""
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(self.path))
        return method == self.method and re.fullmatch(pattern, path) is not None


class SdkCall(NamedTuple):
    """What an SDK asked for, and the status it was answered with."""

    sdk: str
    method: str
    path: str
    status: int


class CallLog:
    """Calls of both SDKs, a line of JSON each; the TypeScript tests append to the same file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.touch()

    def add(self, response: httpx.Response) -> None:
        """A hook for the client of the Python SDK."""
        path = response.request.url.raw_path.decode().partition("?")[0]
        call = SdkCall("Python", response.request.method, path, response.status_code)
        with self.file.open("a") as log:
            log.write(json.dumps(call._asdict()) + "\n")

    def calls(self) -> list[SdkCall]:
        """All so far."""
        return [SdkCall(**json.loads(line)) for line in self.file.read_text().splitlines()]


Statuses = Mapping[tuple[Operation, str], Sequence[int]]


def contract() -> list[Operation]:
    """All operations that the SDKs have a call for."""
    with (TESTS / "contract" / "novu" / "endpoints.tsv").open() as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["path"].startswith("/")]
    return [_operation(row) for row in rows]


def _operation(row: Mapping[str, str]) -> Operation:
    successes = frozenset(map(int, row["success"].split(",")))
    return Operation(row["method"], row["path"], row["sdk_python"], successes, row["scope"] == "core")


def statuses(known: Sequence[Operation], calls: Iterable[SdkCall]) -> Statuses:
    """What each SDK was answered on each operation. A literal path goes before a parameter."""
    found: dict[tuple[Operation, str], set[int]] = {}
    by_parameters = sorted(known, key=lambda operation: operation.path.count("{"))
    for call in calls:
        for operation in by_parameters:
            if operation.is_called_by(call.method, call.path):
                found.setdefault((operation, call.sdk), set()).add(call.status)
                break
    return {place: sorted(seen) for place, seen in found.items()}


def lacking(known: Iterable[Operation], seen: Statuses) -> list[str]:
    """Operations without a success or without a refusal, by SDK."""
    found = []
    for operation in known:
        for sdk in SDKS:
            if (sdk, operation.label) in NOT_SENT:
                continue
            answered = set(seen.get((operation, sdk), ()))
            if not answered & operation.successes and operation.label not in UNSUCCESSFUL:
                found.append(f"{sdk}: {operation.label} never succeeded")
            if not any(400 <= status < 500 for status in answered):
                found.append(f"{sdk}: {operation.label} was never refused")
    return found


def page(known: Iterable[Operation], seen: Statuses) -> str:
    """The table as Markdown."""
    return PREFACE + "".join(_row(operation, seen) for operation in known)


def _row(operation: Operation, seen: Statuses) -> str:
    cells = (" ".join(map(str, seen.get((operation, sdk), ()))) or "-" for sdk in SDKS)
    why = UNSUCCESSFUL.get(operation.label)
    label = f"`{operation.label}`" + (f": {why}" if why else "")
    return f"| {label} | {'yes' if operation.core else ''} | {' | '.join(cells)} |\n"
