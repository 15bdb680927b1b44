"""`clarion webhooks`: the webhook endpoints of an environment, and what they were sent."""

import json
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

import click

from clarion.cli.arrival import one_line
from clarion.cli.caller import KEY, URL, ApiCaller, place_of
from clarion.cli.running import run
from clarion.errors import SettingsError

Json = dict[str, Any]
Work = Callable[[ApiCaller], Coroutine[Any, Any, None]]

_PATH = "/v1/webhooks"
_ID = click.argument("identity", metavar="ID")


@click.group(short_help="Look after webhook endpoints and what they were sent.")
def command() -> None:
    """Look after the webhook endpoints of a key's environment in a running Clarion."""


@command.command("list", short_help="List the endpoints.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@URL
@KEY
def list_endpoints(url: str | None, key: str | None, as_json: bool) -> None:
    """List the endpoints, oldest first."""

    async def work(api: ApiCaller) -> None:
        found = await api.call("GET", _PATH)
        if as_json:
            click.echo(_document(found))
            return
        for item in found:
            click.echo(_endpoint_line(item))
        if not found:
            click.echo("there are no webhook endpoints: `clarion webhooks create URL` adds one")

    _ask(url, key, work)


@command.command(short_help="Add an endpoint and show its secret, once.")
@click.argument("target", metavar="URL")
@click.option("--event", "events", multiple=True, help="A type to hear of; several times.  [default: all]")
@click.option("--description", default="", help="For people.")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="Sent along; several times.")
@click.option("--concurrency", type=int, default=1, show_default=True, help="Events under way at a time.")
@click.option("--rate-limit", type=int, help="Events a second at most.  [default: any number]")
@URL
@KEY
def create(
    url: str | None,
    key: str | None,
    target: str,
    events: tuple[str, ...],
    description: str,
    headers: tuple[str, ...],
    concurrency: int,
    rate_limit: int | None,
) -> None:
    """Add an endpoint at URL and show its secret, which is not shown again."""
    body = {
        "url": target,
        "events": list(events),
        "description": description,
        "headers": dict(map(_header, headers)),
        "concurrency": concurrency,
        "rateLimit": rate_limit,
    }

    async def work(api: ApiCaller) -> None:
        made = await api.call("POST", _PATH, body)
        click.echo(f"{_endpoint_line(made)}\nsecret, not shown again: {made['secret']}")

    _ask(url, key, work)


@command.command(short_help="Switch an endpoint on.")
@_ID
@URL
@KEY
def enable(url: str | None, key: str | None, identity: str) -> None:
    """Switch an endpoint on; what it missed can be replayed."""
    _ask(url, key, lambda api: _switch(api, identity, active=True))


@command.command(short_help="Switch an endpoint off.")
@_ID
@URL
@KEY
def disable(url: str | None, key: str | None, identity: str) -> None:
    """Switch an endpoint off: it hears of nothing."""
    _ask(url, key, lambda api: _switch(api, identity, active=False))


@command.command(short_help="Remove an endpoint.")
@_ID
@URL
@KEY
def delete(url: str | None, key: str | None, identity: str) -> None:
    """Remove an endpoint with what is kept of its deliveries."""

    async def work(api: ApiCaller) -> None:
        await api.call("DELETE", _one(identity))
        click.echo(f"removed {identity}")

    _ask(url, key, work)


@command.command("rotate-secret", short_help="Renew the secret of an endpoint.")
@_ID
@click.option("--overlap-hours", type=int, default=24, show_default=True, help="The old one signs so long.")
@URL
@KEY
def rotate_secret(url: str | None, key: str | None, identity: str, overlap_hours: int) -> None:
    """Make a new secret and show it, once."""

    async def work(api: ApiCaller) -> None:
        body = {"overlapHours": overlap_hours}
        made = await api.call("POST", f"{_one(identity)}/rotate-secret", body)
        click.echo(f"secret, not shown again: {made['secret']}")

    _ask(url, key, work)


@command.command(short_help="Send a ping and show what was answered.")
@_ID
@URL
@KEY
def ping(url: str | None, key: str | None, identity: str) -> None:
    """Send a webhook.ping and show what was answered. Exits with 1 where it was not taken."""

    async def work(api: ApiCaller) -> None:
        made = await api.call("POST", f"{_one(identity)}/ping", {})
        click.echo(_delivery_line(made))
        if made["status"] != "delivered":
            raise click.exceptions.Exit(1)

    _ask(url, key, work)


@command.command(short_help="List what an endpoint was sent.")
@_ID
@click.option("--status", type=click.Choice(["pending", "delivered", "failed"]), help="Only those.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="So many.")
@click.option("--json", "as_json", is_flag=True, help="For programs, with bodies and answers.")
@URL
@KEY
def deliveries(
    url: str | None, key: str | None, identity: str, status: str | None, limit: int, as_json: bool
) -> None:
    """List what an endpoint was sent, newest first."""
    query = {"limit": str(limit)} | ({"status": status} if status else {})

    async def work(api: ApiCaller) -> None:
        page = await api.call("GET", f"{_one(identity)}/deliveries", **query)
        if as_json:
            click.echo(_document(page["data"]))
            return
        for item in page["data"]:
            click.echo(_delivery_line(item))
        if not page["data"]:
            click.echo("there are no such deliveries")

    _ask(url, key, work)


@command.command(short_help="Send a delivery once more.")
@_ID
@click.argument("delivery")
@URL
@KEY
def resend(url: str | None, key: str | None, identity: str, delivery: str) -> None:
    """Send the delivery DELIVERY of an endpoint once more."""

    async def work(api: ApiCaller) -> None:
        path = f"{_one(identity)}/deliveries/{quote(delivery, safe='')}/resend"
        click.echo(_delivery_line(await api.call("POST", path)))

    _ask(url, key, work)


@command.command(short_help="Send what failed once more.")
@_ID
@click.option("--since", required=True, metavar="DATE", help="Such as 2026-01-31T09:00:00Z.")
@click.option("--until", metavar="DATE", help="[default: now]")
@click.option(
    "--status", type=click.Choice(["failed", "delivered", "all"]), default="failed", show_default=True
)
@URL
@KEY
def replay(
    url: str | None, key: str | None, identity: str, since: str, until: str | None, status: str
) -> None:
    """Send what failed in a time once more, however much it is."""

    async def work(api: ApiCaller) -> None:
        sent, start, more = 0, since, True
        while more:
            body = {"since": start, "status": status} | ({"until": until} if until else {})
            told = await api.call("POST", f"{_one(identity)}/replay", body)
            more = told["next"] not in (None, start)
            sent, start = sent + told["replayed"], told["next"]
        click.echo(f"{sent:,} sent once more")

    _ask(url, key, work)


async def _switch(api: ApiCaller, identity: str, *, active: bool) -> None:
    click.echo(_endpoint_line(await api.call("PUT", _one(identity), {"active": active})))


def _ask(url: str | None, key: str | None, work: Work) -> None:
    place = place_of(url, key)

    async def ask() -> None:
        async with ApiCaller(*place) as api:
            await work(api)

    run(ask())


def _one(identity: str) -> str:
    return f"{_PATH}/{quote(identity, safe='')}"


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise SettingsError(f"--header {text} is no NAME:VALUE")
    return name.strip(), value.strip()


def _endpoint_line(item: Json) -> str:
    reason = f" ({item['disabledReason']})" if item["disabledReason"] else ""
    standing = "on" if item["active"] else f"off{reason}"
    events = ", ".join(item["events"]) or "everything"
    rate = f"  {item['rateLimit']} a second at most" if item["rateLimit"] else ""
    return f"{item['_id']}  {standing}  {one_line(item['url'])}  {events}{rate}"


def _delivery_line(item: Json) -> str:
    last = item["tries"][-1] if item["tries"] else None
    answer = f"{last['status'] or last['code']} {one_line(last['answer'])}".strip() if last else ""
    return f"{item['_id']}  {item['happenedAt']}  {item['type']}  {item['status']}  {answer}".rstrip()


def _document(found: object) -> str:
    return json.dumps(found, indent=2, ensure_ascii=False)
