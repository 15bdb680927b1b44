"""`clarion webhooks` against a running Clarion and a real receiver."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from clarion.cli.main import main
from hooks import HookServer
from running import KEY, ClarionProcess, wait_for


@pytest.fixture
def hooks() -> Iterator[HookServer]:
    with HookServer().running() as server:
        yield server


@pytest.fixture
def clarion(tmp_path: Path) -> Iterator[ClarionProcess]:
    process = ClarionProcess(tmp_path, egress_allow="127.0.0.0/8", webhook_http="true").start()
    yield process
    assert process.stop() == 0


def test_an_endpoint_is_looked_after_from_a_terminal(clarion: ClarionProcess, hooks: HookServer) -> None:
    def said(*arguments: str, status: int = 0) -> str:
        place = ["--url", clarion.url, "--key", KEY]
        found = CliRunner().invoke(main, ["webhooks", *arguments, *place])
        assert found.exit_code == status, found.output
        return found.output

    def statuses() -> list[str]:
        return [item["status"] for item in json.loads(said("deliveries", identity, "--json"))]

    assert said("list").startswith("there are no webhook endpoints")
    chosen = [
        "--event",
        "workflow.created",
        "--header",
        "X-Team: blue",
        "--concurrency",
        "2",
        "--rate-limit",
        "50",
    ]
    line, secret = said("create", hooks.url, *chosen).splitlines()
    identity = line.split()[0]
    assert line.endswith(f"on  {hooks.url}  workflow.created  50 a second at most")
    assert "401" in said("ping", identity, status=1)
    hooks.secrets.append(secret.split()[-1])
    assert "204" in said("ping", identity)
    hooks.secrets.append(said("rotate-secret", identity, "--overlap-hours", "0").split()[-1])
    (found,) = json.loads(said("list", "--json"))
    assert (found["_id"], found["concurrency"], list(found["headers"])) == (identity, 2, ["X-Team"])
    assert "  off  " in said("disable", identity)
    assert "  on  " in said("enable", identity)
    with clarion.client as client:
        workflow = {"name": "News", "workflowId": "news", "active": True, "steps": []}
        client.post("/v2/workflows", json=workflow).raise_for_status()
    wait_for(lambda: len(hooks.taken) == 2 or None, 20)
    wait_for(lambda: statuses().count("delivered") == 2 or None, 20)
    newest = said("deliveries", identity, "--status", "delivered", "--limit", "1").split()
    assert newest[2:4] == ["workflow.created", "delivered"]
    assert "pending" in said("resend", identity, newest[0])
    wait_for(lambda: len(hooks.taken) == 3 or None, 20)
    assert hooks.ids[1] == hooks.ids[2]
    assert said("replay", identity, "--since", "2026-01-01").startswith("1 sent once more")
    assert said("delete", identity) == f"removed {identity}\n"
    assert "was not found" in said("ping", identity, status=2)
    assert "is no NAME:VALUE" in said("create", hooks.url, "--header", "nonsense", status=2)
