"""The `clarion` command: finds the verb, and ends with one line where something is wrong on purpose."""

from importlib import import_module
from typing import Any

import click

from clarion.errors import ClarionError

VERBS = {
    "serve": "Run everything in one process: the API and the delivery.",
    "api": "Run the HTTP API alone.",
    "worker": "Run the delivery alone.",
    "migrate": "Bring the database to the schema of this version.",
    "doctor": "Check the set-up and say what to do.",
    "backup": "Copy the embedded database while Clarion runs.",
    "watch": "Follow a trigger until it is done; pause, resume or cancel it.",
    "explain": "Tell why a trigger's pushes went out or didn't.",
    "journal": "Show what waits and what was parked; replay it.",
    "providers": "List the push providers and what each needs.",
    "send": "Send a test push to one token and show what was said.",
    "devices": "Look after stored device tokens: prune the unseen.",
    "members": "Look after who may sign in to the dashboard.",
    "people": "Hand out or remove everything about a person.",
    "keys": "Look after the keys that seal secrets in the database.",
    "webhooks": "Look after webhook endpoints and what they were sent.",
    "listen": "Forward webhook events to a local port.",
    "apply": "Make an environment what a file says.",
    "diff": "Tell what apply would change.",
    "export": "Print an environment as a file for apply.",
    "import": "Copy what a Novu server or a CSV file holds.",
    "settings": "Print every setting with its value, default and reason.",
    "openapi": "Print the OpenAPI document of the API.",
    "emulator": "Run stand-ins of the push providers.",
    "demo": "Run Clarion against stand-ins and watch a push arrive.",
}


_KEYWORDS = {"import": "importing"}
"""Verbs that no module can be named after."""


class _Stopped(click.ClickException):
    """An error told in one line on stderr; exit status 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"clarion: {' '.join(self.message.split())}", err=True)


class _Verbs(click.Group):
    """A group that imports a verb's module when the verb is called, so that help costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = _KEYWORDS.get(cmd_name, cmd_name)
        command = import_module(f"clarion.cli.{module}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ClarionError as error:
            raise _Stopped(str(error)) from error


@click.group(
    cls=_Verbs, subcommand_metavar="VERB [OPTIONS]", context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="clarion", message="clarion %(version)s")
def main() -> None:
    """Self-hosted push notifications: one HTTP API, every push provider, one true outcome per device.

    Settings come from CLARION_* environment variables and ./clarion.toml; see `clarion settings`.
    `clarion VERB --help` tells more about a verb.
    """
