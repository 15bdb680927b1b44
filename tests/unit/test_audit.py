"""The dependency audit, by what its tools wrote when something was known, nothing, and nobody answered."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def load() -> ModuleType:
    """The script, which is in no package."""
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


audit = load()
FOUND, UNREACHABLE, NONE = audit.Standing.FOUND, audit.Standing.UNREACHABLE, audit.Standing.NONE

PIP_FOUND = (
    '{"dependencies": [{"name": "jinja2", "version": "3.1.6", "vulns": [{"id": "CVE-2026-0001",'
    ' "fix_versions": ["99.0"], "aliases": ["GHSA-0000-0000-0000"], "description": "x"}]},'
    ' {"name": "uv", "version": "0.13.9", "vulns": []}], "fixes": []}'
)
PIP_NONE = (
    '{"dependencies": [{"name": "jinja2", "version": "3.1.6", "vulns": []},'
    ' {"name": "uv", "version": "0.13.9", "vulns": []}], "fixes": []}'
)
PIP_SKIPPED = (
    '{"dependencies": [{"name": "uv", "skip_reason": "Dependency not found on PyPI and could not be audited:'
    ' uv (0.13.9)"}], "fixes": []}'
)
PIP_AWAY = (
    "Traceback (most recent call last):\n"
    '  File "site-packages/requests/adapters.py", line 729, in send\n'
    "    raise ConnectionError(e, request=request)\n"
    "requests.exceptions.ConnectionError: HTTPConnectionPool(host='127.0.0.1', port=9): Max retries exceeded"
)
NPM_FLAW = {
    "name": "@axe-core/playwright",
    "severity": "high",
    "isDirect": True,
    "via": [
        {
            "source": 1234,
            "name": "@axe-core/playwright",
            "dependency": "@axe-core/playwright",
            "title": "Example of a flaw",
            "url": "https://github.com/advisories/GHSA-0000-0000-0000",
            "severity": "high",
            "range": ">=0",
        }
    ],
    "effects": [],
    "range": "",
    "nodes": ["node_modules/@axe-core/playwright"],
    "fixAvailable": False,
}
NPM_FOUND = json.dumps({"auditReportVersion": 2, "vulnerabilities": {"@axe-core/playwright": NPM_FLAW}})
NPM_NONE = '{"auditReportVersion": 2, "vulnerabilities": {}, "metadata": {"vulnerabilities": {"total": 0}}}'
NPM_AWAY = (
    '{"message": "request to http://127.0.0.1:9/-/npm/v1/security/advisories/bulk failed, reason: connect'
    ' ECONNREFUSED 127.0.0.1:9", "error": {"summary": "", "detail": ""}}'
)
NPM_REFUSED = (
    '{"message": "405 Method Not Allowed - POST https://npm.example/-/npm/v1/security/advisories/bulk",'
    ' "statusCode": 405, "body": "", "error": {"summary": "", "detail": ""}}'
)


@pytest.mark.parametrize(
    ("output", "errors", "standing", "reason"),
    [
        (PIP_FOUND, "Found 1 known vulnerability in 1 package", FOUND, "jinja2 3.1.6: CVE-2026-0001"),
        (PIP_NONE, "No known vulnerabilities found", NONE, ""),
        (
            PIP_SKIPPED,
            "No known vulnerabilities found",
            UNREACHABLE,
            "1 of 1 packages could not be looked up",
        ),
        ("", PIP_AWAY, UNREACHABLE, "requests.exceptions.ConnectionError"),
        ("", "", UNREACHABLE, "it said nothing"),
        ('{"dependencies": []}', "", UNREACHABLE, "0 of 0 packages"),
    ],
)
def test_what_pip_audit_wrote_is_judged(output: str, errors: str, standing: object, reason: str) -> None:
    found = audit.of_pip(output, errors)
    assert found.standing is standing
    assert "".join(found.reasons[:1]).startswith(reason)


@pytest.mark.parametrize(
    ("output", "errors", "standing", "reason"),
    [
        (
            NPM_FOUND,
            "",
            FOUND,
            "@axe-core/playwright: high, Example of a flaw (https://github.com/advisories/",
        ),
        (NPM_NONE, "", NONE, ""),
        (
            NPM_AWAY,
            "npm error audit endpoint returned an error",
            UNREACHABLE,
            "request to http://127.0.0.1:9",
        ),
        (NPM_REFUSED, "npm error audit endpoint returned an error", UNREACHABLE, "405 Method Not Allowed"),
        ("", "npm error code ENOLOCK", UNREACHABLE, "npm error code ENOLOCK"),
    ],
)
def test_what_npm_audit_wrote_is_judged(output: str, errors: str, standing: object, reason: str) -> None:
    found = audit.of_npm(output, errors)
    assert found.standing is standing
    assert "".join(found.reasons[:1]).startswith(reason)


def test_a_package_that_is_vulnerable_through_another_names_it() -> None:
    output = json.dumps({"vulnerabilities": {"a": {"severity": "low", "via": ["b"]}}})
    assert audit.of_npm(output, "").reasons == ("a: low, through b",)


def test_what_is_found_counts_even_where_the_rest_was_skipped() -> None:
    packages = json.loads(PIP_FOUND)["dependencies"] + json.loads(PIP_SKIPPED)["dependencies"]
    assert audit.of_pip(json.dumps({"dependencies": packages}), "").standing is FOUND


@pytest.mark.parametrize(
    ("standings", "strict", "lenient"),
    [
        ([NONE, NONE], 0, 0),
        ([NONE, FOUND], 1, 1),
        ([NONE, UNREACHABLE], 2, 0),
        ([FOUND, UNREACHABLE], 1, 1),
    ],
)
def test_the_exit_status_tells_found_from_unreachable(
    standings: list[object], strict: int, lenient: int
) -> None:
    judgements = [audit.Judgement(standing) for standing in standings]
    assert audit.verdict(judgements, unreachable_passes=False) == strict
    assert audit.verdict(judgements, unreachable_passes=True) == lenient


def test_an_audit_that_was_not_done_says_so_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = audit.Tool("quiet", ROOT, (sys.executable, "-c", ""), audit.of_pip)
    clean = audit.Tool("clean", ROOT, (sys.executable, "-c", f"print({PIP_NONE!r})"), audit.of_pip)
    assert audit.main(["--unreachable-passes"], [quiet, clean]) == 0
    told = capsys.readouterr()
    assert told.out == "quiet: NOT LOOKED UP\n  it said nothing\nclean: nothing known\n"
    assert "DEPENDENCIES WERE NOT AUDITED" in told.err
    assert audit.main([], [quiet]) == 2
    capsys.readouterr()
    assert audit.main([], [clean]) == 0
    assert capsys.readouterr().err == ""


def test_a_tool_that_hangs_or_is_missing_was_not_run() -> None:
    slow = audit.Tool("slow", ROOT, (sys.executable, "-c", "import time; time.sleep(60)"), audit.of_pip)
    assert audit.ran(slow, 0.2) == audit.Judgement(UNREACHABLE, ("no answer in 0.2 s",))
    missing = audit.Tool("missing", ROOT, ("no-such-tool",), audit.of_npm)
    assert audit.ran(missing).standing is UNREACHABLE
