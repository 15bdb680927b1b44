"""`clarion providers`."""

import click
import msgspec

from clarion.api.providers import CapabilitiesOut, ProviderOut, provider_out
from clarion.cli.provider_pages import page
from clarion.providers.registry import PROVIDERS


@click.command(short_help="List the push providers and what each needs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option("--markdown", is_flag=True, help="Print the page of the documentation, with every rejection.")
def command(as_json: bool, markdown: bool) -> None:
    """List the push providers: what a device token is, what each can do, and the credentials it needs."""
    if markdown:
        click.echo(page(), nl=False)
        return
    listed = [provider_out(provider) for provider in PROVIDERS.values()]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(listed)).decode())
    else:
        click.echo("\n\n".join(_entry(item) for item in listed if item.supported))


def _entry(item: ProviderOut) -> str:
    """A provider in a few lines; credentials in brackets may be left out."""
    credentials = (field.key if field.required else f"[{field.key}]" for field in item.fields)
    lines = {
        "device token": item.addressed_by,
        "credentials": " ".join(credentials) or "none",
        "requests": _requests(item.capabilities),
        "dead tokens": _dead_tokens(item.capabilities),
    }
    told = (f"  {name:12}  {text}" for name, text in lines.items())
    return "\n".join([f"{item.id}  {item.name}", *told])


def _requests(can: CapabilitiesOut) -> str:
    many = (
        "one message each"
        if can.messages_per_request == 1
        else f"up to {can.messages_per_request:,} messages"
    )
    return f"{many}, {can.rate_per_second:,g} a second" if can.rate_per_second else many


def _dead_tokens(can: CapabilitiesOut) -> str:
    if not can.retires_tokens:
        return "not told"
    return "told by the answer, and by receipts later" if can.receipts else "told by the answer"
