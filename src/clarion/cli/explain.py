"""`clarion explain`."""

import json
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from clarion.cli.caller import TRIGGERS_KEY, URL, ApiCaller, place_of
from clarion.cli.running import run

Json = dict[str, Any]

_STYLES = {
    "delivered": "green",
    "would be sent": "green",
    "failed": "red",
    "cancelled": "red",
    "skipped": "yellow",
}
_WIDEST = 200


@click.command(short_help="Tell why a trigger's pushes went out or didn't.")
@click.argument("transaction")
@click.option("--subscriber", help="One recipient alone.")
@URL
@TRIGGERS_KEY
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def command(
    transaction: str, subscriber: str | None, url: str | None, key: str | None, as_json: bool
) -> None:
    """Tell what was decided for each recipient of TRANSACTION, each step and each device, and why.

    Then each try with the provider's answer. Without --subscriber the first 20 recipients are told of.

    Exits with 2 when the transaction is not known or can't be reached.
    """
    query = {"transactionId": transaction, **({"subscriberId": subscriber} if subscriber else {})}
    run(_explain(*place_of(url, key), query, as_json))


async def _explain(url: str, key: str, query: dict[str, str], as_json: bool) -> None:
    async with ApiCaller(url, key) as api:
        found = await api.call("GET", "/v1/explain", **query)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    console = Console(soft_wrap=True, highlight=False, emoji=False)
    console.print(tree_of(found))


def tree_of(found: Json) -> Tree:
    """An explanation as a tree: recipients, their steps, the devices of each, every try."""
    tree = Tree(
        _line((found["transactionId"], "bold"), f"  {found.get('workflowId', 'its workflow is gone')}")
    )
    _tell(tree, found)
    for recipient in found["recipients"]:
        branch = tree.add(_line((recipient["subscriberId"], "bold cyan"), _waiting(recipient)))
        _tell(branch, recipient)
        for step in recipient["steps"]:
            _grow(branch.add(_line("step ", (step["stepId"], "bold"))), step)
    if found.get("hasMore"):
        tree.add(_line("… and more recipients"))
    return tree


def _grow(branch: Tree, step: Json) -> None:
    _tell(branch, step)
    for device in step["devices"]:
        leaf = branch.add(_device(device))
        _tell(leaf, device)
        for attempt in device.get("attempts", ()):
            leaf.add(_attempt(attempt))


def _tell(branch: Tree, told: Json) -> None:
    for decision in told.get("decisions", ()):
        branch.add(_line((decision["at"], "dim"), f"  {decision['text']}", *_reason(decision)))


def _reason(decision: Json) -> Iterator[str]:
    for name, value in decision.get("reason", {}).items():
        yield f"  {name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


def _waiting(recipient: Json) -> str:
    waiting, goes_on = recipient.get("waiting", 0), recipient.get("goesOnAt")
    untried = f"  {waiting} not tried yet" if waiting else ""
    return untried + (f"  {recipient['state']}, goes on at {goes_on}" if goes_on else "")


def _device(device: Json) -> Text:
    name = device.get("deviceId") or device.get("token") or device["messageId"]
    through = f" through {device['integrationIdentifier']}" if "integrationIdentifier" in device else ""
    said = f"  “{device.get('title', '')}: {device.get('body', '')}”" if "body" in device else ""
    when = f"  at {device['sendAt']}" if "sendAt" in device else ""
    state = device["state"]
    return _line("device ", (name, "bold"), through, "  ", (state, _STYLES.get(state, "")), when, said)


def _attempt(attempt: Json) -> Text:
    number = f"try {attempt['number']}" if "number" in attempt else "not asked"
    why = [attempt.get("explanation", ""), attempt.get("response", "")]
    code = f" ({attempt['code']})" if attempt.get("code") else ""
    said = "".join(f"  {text}" for text in why if text)
    return _line((attempt["at"], "dim"), f"  {number}: {attempt['outcome']}{code}{said}")


def _line(*parts: str | tuple[str, str]) -> Text:
    """One line of text and (text, style); what comes from others can't move the cursor."""
    line = Text()
    for part in parts:
        text, style = (part, "") if isinstance(part, str) else part
        plain = "".join(letter if letter.isprintable() else " " for letter in text)
        line.append(plain[:_WIDEST], style)
    return line
