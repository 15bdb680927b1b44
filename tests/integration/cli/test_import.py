"""From one Clarion to another, as from a Novu server; and from a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from clarion.testing.kit import EmulatorThread
from running import KEY, ClarionProcess
from verbs import Terminal, Verb, environ

PEOPLE = 250
PUSH = {
    "name": "Push",
    "stepId": "push",
    "type": "push",
    "controlValues": {"subject": "Hi", "body": "{{payload.text}}"},
}
ACME = {"name": "Acme", "plan": "pro"}
RULE = {"==": [{"var": "payload.text"}, "wanted"]}
GERMAN = {"title": "Hallo"}
PHONE = "phone-of-person-{}"


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorThread]:
    with EmulatorThread(tmp_path_factory.mktemp("emulators")) as running:
        yield running


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, emulators: EmulatorThread) -> Iterator[ClarionProcess]:
    """Something of everything."""
    process = ClarionProcess(tmp_path_factory.mktemp("source"), emulators).start("api")
    with process.client as client:
        integration(client, emulators)
        workflow = {
            "name": "Welcome",
            "workflowId": "welcome",
            "active": True,
            "tags": ["a"],
            "isTranslationEnabled": True,
            "steps": [PUSH],
        }
        client.post("/v2/workflows", json=workflow).raise_for_status()
        words = {"resourceType": "workflow", "resourceId": "welcome", "locale": "de"}
        client.post("/v2/translations", json={**words, "content": GERMAN}).raise_for_status()
        people = [
            {
                "subscriberId": f"person-{n}",
                "firstName": f"Ada {n}",
                "data": {"n": n},
                "channels": [
                    {
                        "providerId": "fcm",
                        "integrationIdentifier": "phones",
                        "credentials": {"deviceTokens": [PHONE.format(n)]},
                    }
                ],
            }
            for n in range(PEOPLE)
        ]
        client.post("/v1/subscribers/bulk", json={"subscribers": people}).raise_for_status()
        for start in (0, 100):
            names = [f"person-{n}" for n in range(start, start + 100)]
            client.post("/v2/topics/news/subscriptions", json={"subscriptions": names}).raise_for_status()
        acme = {
            "subscriptions": ["person-0"],
            "context": {"tenant": {"id": "acme", "data": ACME}},
            "preferences": [{"workflowId": "welcome", "condition": RULE}],
        }
        client.post("/v2/topics/news/subscriptions", json=acme).raise_for_status()
        client.post("/v2/contexts", json={"type": "app", "id": "acme", "data": ACME}).raise_for_status()
        client.post("/v2/topics", json={"key": "empty", "name": "Nobody"}).raise_for_status()
    yield process
    assert process.stop() == 0


@pytest.fixture
def target(tmp_path: Path, emulators: EmulatorThread) -> Iterator[ClarionProcess]:
    process = ClarionProcess(tmp_path, emulators, name="target").start("api")
    yield process
    assert process.stop() == 0


def integration(client: httpx.Client, emulators: EmulatorThread) -> None:
    account = {"serviceAccount": emulators.service_account()}
    body = {
        "name": "Phones",
        "identifier": "phones",
        "providerId": "fcm",
        "active": True,
        "credentials": account,
    }
    client.post("/v1/integrations", json=body).raise_for_status()


def from_novu(source: ClarionProcess, target: ClarionProcess) -> list[str]:
    """The command that copies one to the other."""
    return ["import", "novu", "--url", source.url, "--key", KEY, "--to-url", target.url, "--to-key", KEY]


def imported(tmp_path: Path, source: ClarionProcess, target: ClarionProcess, *more: str) -> str:
    with Verb(tmp_path, [*from_novu(source, target), *more], environ()) as verb:
        assert verb.process.wait(120) == 0, verb.output
        assert KEY not in verb.output
        return verb.output


def from_file(file: Path, target: ClarionProcess) -> list[str]:
    """The command that adds the file's tokens."""
    where = ["--to-url", target.url, "--to-key", KEY]
    return ["import", "csv", str(file), "--integration", "phones", *where]


def held(client: httpx.Client, path: str, **query: Any) -> Any:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_everything_is_copied_and_devices_when_there_is_somewhere_to_put_them(
    tmp_path: Path, source: ClarionProcess, target: ClarionProcess, emulators: EmulatorThread
) -> None:
    told = imported(tmp_path, source, target, "--dry-run")
    assert "nothing was changed" in told
    with target.client as client:
        assert held(client, "/v1/integrations") == []
        told = imported(tmp_path, source, target)
        assert "Phones stays inactive" in told
        assert f"devices left out: {PEOPLE}" in told
        (made,) = held(client, "/v1/integrations")
        assert (made["identifier"], made["active"]) == ("phones", False)
        account = {"serviceAccount": emulators.service_account()}
        change = {"credentials": account, "active": True}
        client.put(f"/v1/integrations/{made['_id']}", json=change).raise_for_status()
        told = imported(tmp_path, source, target)
        assert "left out" not in told
        assert not (tmp_path / "clarion-import.json").exists()
        person = held(client, "/v2/subscribers/person-249")
        assert (person["firstName"], person["data"]) == ("Ada 249", {"n": 249})
        assert person["channels"][0]["credentials"]["deviceTokens"] == [PHONE.format(249)]
        assert client.get("/v2/subscribers").json()["totalCount"] == PEOPLE
        flow = held(client, "/v2/workflows/welcome")
        assert (flow["tags"], flow["active"]) == (["a"], True)
        assert flow["steps"][0]["controlValues"] == PUSH["controlValues"]
        german = client.get("/v2/translations/workflow/welcome/de").json()["data"]
        assert german["content"] == GERMAN
        assert client.get("/v2/topics/news/subscriptions").json()["totalCount"] == 201
        (acme,) = held(client, "/v2/topics/news/subscriptions", contextKeys="tenant:acme")
        assert (acme["subscriber"]["subscriberId"], acme["contextKeys"]) == ("person-0", ["tenant:acme"])
        (wanted,) = acme["preferences"]
        assert (wanted["workflow"]["identifier"], wanted["condition"]) == ("welcome", RULE)
        for kind in ("tenant", "app"):
            assert held(client, f"/v2/contexts/{kind}/acme")["data"] == ACME
        assert held(client, "/v2/topics/empty")["name"] == "Nobody"


def test_what_is_there_already_is_brought_up_to_date(
    tmp_path: Path, source: ClarionProcess, target: ClarionProcess
) -> None:
    with target.client as client:
        client.post("/v2/subscribers", json={"subscriberId": "person-0"}).raise_for_status()
        old = {"subscriptions": ["person-0"], "context": {"tenant": {"id": "acme", "data": {"old": 1}}}}
        client.post("/v2/topics/news/subscriptions", json=old).raise_for_status()
        imported(tmp_path, source, target)
        (acme,) = held(client, "/v2/topics/news/subscriptions", contextKeys="tenant:acme")
        assert [one["condition"] for one in acme["preferences"]] == [RULE]
        assert held(client, "/v2/contexts/tenant/acme")["data"] == ACME


def test_credentials_are_asked_for_and_secrets_not_shown(
    tmp_path: Path, target: ClarionProcess, emulators: EmulatorThread
) -> None:
    account, hook = tmp_path / "account.json", {"webhookUrl": "https://receiver.test/", "secretKey": "whsec"}
    account.write_text(emulators.service_account())
    (tmp_path / "there").mkdir()
    source = ClarionProcess(tmp_path / "there", emulators, name="source").start("api")
    try:
        with source.client as client:
            integration(client, emulators)
            given = {"name": "Hook", "identifier": "hook", "providerId": "push-webhook", "active": True}
            client.post("/v1/integrations", json={**given, "credentials": hook}).raise_for_status()
            order = [item["name"] for item in held(client, "/v1/integrations")]
        with Terminal(tmp_path, from_novu(source, target), environ()) as terminal:
            for name in order:
                if name == "Hook":
                    terminal.answer("Hook: URL", hook["webhookUrl"])
                    terminal.answer("Hook: Secret", "a secret typed in")
                else:
                    question = "Phones: Service account (JSON) (path of a file)"
                    terminal.answer(question, str(tmp_path / "nowhere.json"))
                    terminal.answer(question, str(account))
            assert terminal.end() == 0, terminal.shown
        assert "nowhere.json can't be read: No such file or directory" in terminal.shown
        assert "a secret typed in" not in terminal.shown
        assert "inactive" not in terminal.shown
        with target.client as client:
            made = {item["identifier"]: item["active"] for item in held(client, "/v1/integrations")}
            assert made == {"phones": True, "hook": True}
    finally:
        assert source.stop() == 0


def test_an_integration_whose_credentials_are_left_out_stays_inactive(
    tmp_path: Path, source: ClarionProcess, target: ClarionProcess
) -> None:
    with Terminal(tmp_path, from_novu(source, target), environ()) as terminal:
        terminal.answer("Phones: Service account (JSON) (path of a file)", "")
        assert terminal.end() == 0, terminal.shown
    assert "Phones stays inactive: give it its credentials" in terminal.shown
    with target.client as client:
        assert [item["active"] for item in held(client, "/v1/integrations")] == [False]


def test_an_import_goes_on_where_it_stood(
    tmp_path: Path, source: ClarionProcess, target: ClarionProcess
) -> None:
    state = tmp_path / "state.json"
    state.write_text('{"done":["integrations","workflows"],"cursor":null}')
    told = imported(tmp_path, source, target, "--state", str(state))
    assert "workflows: copied before" in told
    with target.client as client:
        assert held(client, "/v1/integrations") == []
        assert client.get("/v2/subscribers").json()["totalCount"] == PEOPLE


def test_a_wrong_server_or_key_is_told_in_one_line(tmp_path: Path, source: ClarionProcess) -> None:
    for url, key, told in (
        ("http://127.0.0.1:9", KEY, "can't be reached"),
        (source.url, "wrong", "answered 401"),
    ):
        arguments = ["import", "novu", "--url", url, "--key", key, "--to-url", source.url, "--to-key", KEY]
        with Verb(tmp_path, arguments, environ()) as verb:
            assert verb.process.wait(60) == 2
            assert told in verb.output
            assert verb.output.count("\n") == 1


def test_tokens_come_from_a_file(tmp_path: Path, target: ClarionProcess, emulators: EmulatorThread) -> None:
    file = tmp_path / "devices.csv"
    lines = ["subscriberId,token,firstName,ignored"]
    lines += [f"user-{n % 400},token-{n},Grace,x" for n in range(1200)]
    file.write_text("\n".join([*lines, ",token,,", ""]))
    arguments = from_file(file, target)
    with Verb(tmp_path, arguments, environ()) as verb:
        assert verb.process.wait(60) == 2
        assert "no active integration phones" in verb.output
    with target.client as client:
        integration(client, emulators)
        with Verb(tmp_path, [*arguments, "--dry-run"], environ()) as verb:
            assert verb.process.wait(60) == 0
        assert client.get("/v2/subscribers").json()["totalCount"] == 0
        with Verb(tmp_path, arguments, environ()) as verb:
            assert verb.process.wait(60) == 1
            assert "line 1202: " in verb.output
            assert "1,200 lines added, 1 refused" in verb.output
        person = held(client, "/v2/subscribers/user-7")
        assert person["firstName"] == "Grace"
        assert person["channels"][0]["credentials"]["deviceTokens"] == ["token-7", "token-407", "token-807"]


def test_a_file_without_the_columns_or_in_another_encoding_is_refused(
    tmp_path: Path, target: ClarionProcess, emulators: EmulatorThread
) -> None:
    with target.client as client:
        integration(client, emulators)
    file = tmp_path / "devices.csv"
    file.write_text("name;token\nada;x\n")
    arguments = from_file(file, target)
    with Verb(tmp_path, arguments, environ()) as verb:
        assert verb.process.wait(60) == 2
        assert "names no column subscriberId and no token" in verb.output
    file.write_bytes("subscriberId,token\nada,x\nbj\xf6rn,y\n".encode("latin-1"))
    with Verb(tmp_path, arguments, environ()) as verb:
        assert verb.process.wait(60) == 2
        assert "the file can't be read behind line" in verb.output
        assert "Traceback" not in verb.output
