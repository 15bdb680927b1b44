"""`clarion explain` against a running server with stand-ins of the providers."""

import json

import httpx
from click.testing import CliRunner, Result

from clarion.cli.main import main
from running import wait_for


def explain(demo: dict[str, str], *arguments: str) -> Result:
    options = [word for option in demo.items() for word in option]
    return CliRunner().invoke(main, ["explain", *arguments, *options])


def test_a_push_is_told_from_its_trigger_to_its_delivery(demo: dict[str, str]) -> None:
    body = {"name": "welcome", "to": "ada", "payload": {"text": "Hi"}, "transactionId": "mine"}
    headers = {"authorization": f"ApiKey {demo['--key']}"}
    httpx.post(f"{demo['--url']}/v1/events/trigger", json=body, headers=headers).raise_for_status()
    done = wait_for(
        lambda: found if "try 1: accepted" in (found := explain(demo, "mine")).stdout else None, 20
    )
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "mine  welcome"
    assert any("step " in line for line in lines)
    told = json.loads(explain(demo, "mine", "--subscriber", "ada", "--json").stdout)
    assert told["recipients"][0]["subscriberId"] == "ada"


def test_a_transaction_that_is_not_known_is_told(demo: dict[str, str]) -> None:
    done = explain(demo, "unknown")
    assert (done.exit_code, "is not known" in done.stderr) == (2, True)
