"""`clarion send`."""

import json
from typing import Any
from urllib.parse import quote

import click

from clarion.cli.arrival import one_line
from clarion.cli.caller import KEY, URL, ApiCaller, CallFailed, place_of
from clarion.cli.running import run


@click.command(short_help="Send a test push to one token and show what was said.")
@click.argument("integration")
@click.argument("token")
@click.option("--title", help="Title of the push.")
@click.option("--body", help="Body of the push.")
@click.option("--overrides", help="Overrides as in a trigger, as JSON.")
@URL
@KEY
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def command(
    integration: str,
    token: str,
    title: str | None,
    body: str | None,
    overrides: str | None,
    url: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    """Send a test push to TOKEN through INTEGRATION (its identifier or id), active or not.

    Shows the request as it was sent, with secrets masked, the provider's answer, what it means and what to
    do. Nothing is stored or tried again.

    Exits with 0 when the provider accepted it, 1 when it did not, 2 when it could not be tried.
    """
    given = {"token": token, "title": title, "body": body, "overrides": _overrides(overrides)}
    asked = {name: value for name, value in given.items() if value is not None}
    run(_send(*place_of(url, key), integration, asked, as_json))


async def _send(url: str, key: str, integration: str, asked: dict[str, Any], as_json: bool) -> None:
    async with ApiCaller(url, key) as api:
        identity = _id_of(integration, await api.call("GET", "/v1/integrations"))
        tried = await api.call("POST", f"/v1/integrations/{quote(identity, safe='')}/test", asked)
    click.echo(json.dumps(tried, indent=2, ensure_ascii=False) if as_json else _told(tried))
    raise click.exceptions.Exit(0 if tried["outcome"] == "accepted" else 1)


def _overrides(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise CallFailed(f"--overrides is not JSON: {error}") from error


def _id_of(name: str, listed: list[dict[str, Any]]) -> str:
    for item in listed:
        if name in (item["_id"], item["identifier"]):
            return str(item["_id"])
    known = ", ".join(item["identifier"] for item in listed) or "none"
    raise CallFailed(f"there is no integration {name} in this environment; there are: {known}")


def _told(tried: dict[str, Any]) -> str:
    lines = [f"{tried['outcome']} ({one_line(tried['code'])})", f"  {one_line(tried['explanation'])}"]
    lines.append(f"  {tried['advice']}")
    if request := tried.get("request"):
        lines += ["", f"> {request['method']} {one_line(request['url'])}"]
        lines += [f"> {name}: {one_line(value)}" for name, value in request["headers"].items()]
        lines += [">", f"> {one_line(request['body'])}"]
    if reply := tried.get("reply"):
        lines += ["", f"< {reply['status']}"]
        lines += [f"< {name}: {one_line(value)}" for name, value in reply["headers"].items()]
        lines += ["<", f"< {one_line(reply['body'])}"]
    return "\n".join(lines)
