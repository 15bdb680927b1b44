"""`clarion openapi`: the description of the API, without starting anything."""

import click
import msgspec

from clarion.api.openapi import document
from clarion.api.table import ROUTES


@click.command(help="Print the OpenAPI document of the API.")
def command() -> None:
    """Printed as /openapi.json answers it, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(document(ROUTES)), indent=2))
