"""`clarion providers`."""

import click
import msgspec
from rich.console import Console
from rich.table import Table

from clarion.api.providers import ProviderOut, provider_out
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
        Console(soft_wrap=False).print(_table([item for item in listed if item.supported]))


def _table(listed: list[ProviderOut]) -> Table:
    table = Table("id", "device token", "credentials", "per request", "rate", "dead tokens")
    for item in listed:
        fields = ", ".join(field.key if field.required else f"[{field.key}]" for field in item.fields)
        can = item.capabilities
        table.add_row(
            item.id,
            item.addressed_by,
            fields.replace("[", r"\["),
            str(can.messages_per_request),
            f"{can.rate_per_second:g}/s" if can.rate_per_second else "",
            "by receipt too" if can.receipts else "yes" if can.retires_tokens else "not told",
        )
    return table
