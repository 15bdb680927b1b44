"""`clarion import`."""

import sys
from pathlib import Path

import click

from clarion.cli.caller import ApiCaller, place_of
from clarion.cli.import_csv import import_csv
from clarion.cli.import_novu import Import, Progress, Secrets
from clarion.cli.running import run
from clarion.providers.port import Field

_TO_URL = click.option(
    "--to-url", help="Where Clarion's API listens.  [default: CLARION_HOST and CLARION_PORT]"
)
_TO_KEY = click.option("--to-key", help="A secret key of the environment.  [default: CLARION_API_KEY]")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Tell what would be copied, and change nothing.")


@click.group(short_help="Copy what a Novu server or a file holds.")
def command() -> None:
    """Copy subscribers, devices and more into a running Clarion, over its API."""


@command.command(short_help="Copy an environment of a Novu server.")
@click.option("--url", required=True, help="The server's API, such as https://api.novu.co.")
@click.option("--key", required=True, envvar="NOVU_SECRET_KEY", help="Its secret key.  [or NOVU_SECRET_KEY]")
@_TO_URL
@_TO_KEY
@_DRY_RUN
@click.option("--no-secrets", is_flag=True, help="Ask for no credentials; new integrations stay inactive.")
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("clarion-import.json"),
    show_default=True,
    help="How far an import came is kept here until it is through.",
)
def novu(
    url: str,
    key: str,
    to_url: str | None,
    to_key: str | None,
    dry_run: bool,
    no_secrets: bool,
    state: Path,
) -> None:
    """Copy integrations, workflows, contexts, topics and subscribers with their devices and subscriptions.

    Whatever is there already is brought up to date; nothing is removed, and the other server is only read.
    Credentials can't be read from it, so they are asked for; an integration without them is made inactive,
    and the devices under it are left out until the import is run again.

    An import that ends early goes on where it stood when it is run again. Workflows keep their push steps
    alone.
    """
    ask = _ask if not no_secrets and sys.stdin.isatty() else None
    run(_novu((url, key), place_of(to_url, to_key), ask, state, dry_run))


@command.command(short_help="Add device tokens from a CSV file.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--integration", required=True, help="Identifier of the integration the tokens are for.")
@_TO_URL
@_TO_KEY
@_DRY_RUN
def csv(file: Path, integration: str, to_url: str | None, to_key: str | None, dry_run: bool) -> None:
    """Add device tokens from FILE, whose first line names its columns.

    `subscriberId` and `token` are needed; `firstName`, `lastName`, `email`, `phone`, `locale` and `timezone`
    go into the profile. Subscribers are made or brought up to date, tokens are added to those present.

    Exits with 1 when lines were refused; each is told with its number.
    """
    run(_csv(file, integration, *place_of(to_url, to_key), dry_run))


async def _novu(
    source: tuple[str, str], target: tuple[str, str], ask: Secrets | None, state: Path, dry_run: bool
) -> None:
    async with ApiCaller(*source) as there, ApiCaller(*target) as here:
        await Import(there, here, Progress.load(state), ask, click.echo, dry_run=dry_run).run()


async def _csv(file: Path, integration: str, url: str, key: str, dry_run: bool) -> None:
    async with ApiCaller(url, key) as here:
        refused = await import_csv(here, file, integration, click.echo, dry_run=dry_run)
    raise click.exceptions.Exit(1 if refused else 0)


def _ask(name: str, field: Field) -> str:
    """A credential; empty leaves it out."""
    is_file = field.kind == "file"
    told = f"{name}: {field.label}" + (" (path of a file)" if is_file else "")
    given: str = click.prompt(
        told,
        default="",
        hide_input=field.kind == "secret",
        show_default=False,
        value_proc=_content if is_file else None,
    )
    return given


def _content(path: str) -> str:
    """What the file holds; it is asked for again when it can't be read."""
    try:
        return Path(path).expanduser().read_text() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise click.UsageError(f"{path} can't be read: {reason}") from error
