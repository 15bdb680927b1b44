"""Configuration as a file: applied, compared, printed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clarion.testing.kit import EmulatorThread
from running import KEY, ClarionProcess
from verbs import Verb, environ

CONFIGURATION = """
integrations:
  - identifier: phones
    providerId: fcm
    credentials:
      serviceAccount: ${PHONES_SERVICE_ACCOUNT}
    configurations:
      ratePerSecond: 50
workflows:
  - workflowId: welcome
    name: Welcome
    tags: [start]
    steps:
      - stepId: push
        controlValues:
          subject: Hello {{subscriber.firstName}}
          body: "{{payload.text}}"
  - workflowId: alarm
    severity: high
    outsideSchedule: send
    preferences:
      workflow:
        all: {enabled: true, readOnly: true}
        channels: {push: {enabled: true}}
    steps: []
    isTranslationEnabled: true
    translations:
      en_US: {title: Alarm}
      de-AT: {title: Alarm!, body: {one: eins, other: "{{count}}"}}
topics:
  - key: news
    name: News
  - key: quiet
"""


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorThread]:
    with EmulatorThread(tmp_path_factory.mktemp("emulators")) as running:
        yield running


@pytest.fixture
def clarion(tmp_path: Path, emulators: EmulatorThread) -> Iterator[ClarionProcess]:
    process = ClarionProcess(tmp_path, emulators).start("api")
    yield process
    assert process.stop() == 0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "clarion.yaml"
    made.write_text(CONFIGURATION)
    return made


class Said(str):
    """What a verb wrote; `status` is what it ended with."""

    status: int


def said(tmp_path: Path, clarion: ClarionProcess, *arguments: str, **variables: str) -> Said:
    with Verb(tmp_path, [*arguments, "--url", clarion.url, "--key", KEY], environ() | variables) as verb:
        status = verb.process.wait(60)
        found = Said(verb.output)
    found.status = status
    assert KEY not in found
    return found


def held(clarion: ClarionProcess, path: str) -> Any:
    with clarion.client as client:
        return client.get(path).raise_for_status().json()["data"]


def test_a_file_is_applied_once_and_what_differs_is_named(
    tmp_path: Path, clarion: ClarionProcess, emulators: EmulatorThread, file: Path
) -> None:
    secret = {"PHONES_SERVICE_ACCOUNT": emulators.service_account()}
    new = ["+ integration phones", "+ workflow welcome", "+ workflow alarm"]
    new += ["+ translation alarm en_US", "+ translation alarm de_AT", "+ topic news", "+ topic quiet"]
    told = said(tmp_path, clarion, "diff", str(file), **secret)
    assert (told.splitlines(), told.status) == (new, 1)
    assert held(clarion, "/v1/integrations") == []
    told = said(tmp_path, clarion, "apply", str(file), **secret)
    assert (told.splitlines(), told.status) == ([*new, "7 changed"], 0)
    (made,) = held(clarion, "/v1/integrations")
    assert (made["active"], made["configurations"]) == (True, {"ratePerSecond": 50})
    assert held(clarion, "/v2/workflows/alarm")["preferences"]["default"]["all"]["readOnly"] is True
    told = said(tmp_path, clarion, "apply", str(file), **secret)
    assert (told, told.status) == ("nothing to change\n", 0)
    changed = CONFIGURATION.replace("name: News", "name: All news").replace("tags: [start]", "tags: [a, b]")
    file.write_text(changed.replace("{title: Alarm}", "{title: Attention}"))
    differing = ["~ workflow welcome: tags", "~ translation alarm en_US: content", "~ topic news: name"]
    told = said(tmp_path, clarion, "diff", str(file), **secret)
    assert (told.splitlines(), told.status) == (differing, 1)
    assert said(tmp_path, clarion, "apply", str(file), **secret).splitlines() == [*differing, "3 changed"]
    assert said(tmp_path, clarion, "diff", str(file), **secret).status == 0


def test_what_is_printed_can_be_applied_and_holds_no_secret(
    tmp_path: Path, clarion: ClarionProcess, emulators: EmulatorThread, file: Path
) -> None:
    secret = {"PHONES_SERVICE_ACCOUNT": emulators.service_account()}
    said(tmp_path, clarion, "apply", str(file), **secret)
    printed = said(tmp_path, clarion, "export")
    assert "${PHONES_SERVICE_ACCOUNT}" in printed
    assert "de_AT" in printed
    assert "PRIVATE KEY" not in printed
    file.write_text(printed)
    told = said(tmp_path, clarion, "diff", str(file), **secret)
    assert (told, told.status) == ("", 0)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("integrations: [{identifier: a, providerId: fcm, secret: x}]", "unknown field `secret`"),
        ("workflows: {}", "Expected `array`"),
        ("[", "clarion.yaml"),
        (CONFIGURATION, "set PHONES_SERVICE_ACCOUNT in the environment"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_one_line(
    tmp_path: Path, clarion: ClarionProcess, file: Path, document: str, told: str
) -> None:
    file.write_text(document)
    found = said(tmp_path, clarion, "apply", str(file))
    assert (found.status, found.count("\n")) == (2, 1)
    assert told in found
    assert held(clarion, "/v1/integrations") == []


def test_a_refused_call_says_which(tmp_path: Path, clarion: ClarionProcess, file: Path) -> None:
    file.write_text("workflows: [{workflowId: a, steps: [{stepId: x, type: email}]}]")
    found = said(tmp_path, clarion, "apply", str(file))
    assert found.status == 2
    assert "email steps are not for push" in found


WEBHOOKS = """
webhooks:
  - url: https://8.8.8.8/hooks
    events: [message.failed]
    rateLimit: 20
    headers:
      Authorization: ${HOOK_TOKEN}
"""


def test_webhook_endpoints_are_kept_by_their_url(tmp_path: Path, clarion: ClarionProcess, file: Path) -> None:
    file.write_text(WEBHOOKS)
    token = {"HOOK_TOKEN": "Bearer a-long-token"}
    first = said(tmp_path, clarion, "apply", str(file), **token).splitlines()
    assert first[0] == "+ webhook https://8.8.8.8/hooks"
    assert first[1].startswith("  its secret, not shown again: whsec_")
    assert said(tmp_path, clarion, "apply", str(file), **token) == "nothing to change\n"
    file.write_text(WEBHOOKS.replace("message.failed", "message.sent").replace("20", "30"))
    told = said(tmp_path, clarion, "apply", str(file), HOOK_TOKEN="Bearer of-another")
    assert told.splitlines() == ["~ webhook https://8.8.8.8/hooks: events, headers, rateLimit", "1 changed"]
    printed = said(tmp_path, clarion, "export")
    assert "whsec_" not in printed
    assert "another" not in printed
    assert "rateLimit: 30" in printed
    file.write_text(printed)
    (variable,) = (word[2:-1] for word in printed.split() if word.startswith("${"))
    assert said(tmp_path, clarion, "diff", str(file), **{variable: "Bearer of-another"}).status == 0
