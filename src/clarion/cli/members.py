"""`clarion members`."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

import click
from sqlalchemy.engine import Connection

from clarion.cli.arrival import one_line
from clarion.cli.store import noted, opened
from clarion.errors import ClarionError, RequestError
from clarion.model.clock import Millis, iso, system_clock
from clarion.model.ids import new_id
from clarion.model.member import MOST_NAME, Member, Role, normal_email
from clarion.security.passwords import Passwords, fault
from clarion.settings import load
from clarion.store import members, sessions
from clarion.store.database import Database

T = TypeVar("T")

_ROLES = click.Choice([role.value for role in Role])
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
_email = click.argument("email")


class NotPossible(ClarionError):
    """What was asked for can't be done."""


@click.group(short_help="Look after who may sign in to the dashboard.")
def command() -> None:
    """Look after who may sign in to the dashboard.

    Works on the database that the settings name, whether Clarion runs or not. Passwords are asked for, or
    read from the first line of the input where that is no terminal.
    """


@command.command("list")
@_as_json
def list_members(as_json: bool) -> None:
    """List members with their roles."""
    found = _in_database(lambda database: database.read(members.every))
    if as_json:
        click.echo(json.dumps([_for_programs(*item) for item in found], indent=2, ensure_ascii=False))
        return
    for line in map(_row, found):
        click.echo(line)
    if not found:
        click.echo("nobody has an account yet: `clarion members add EMAIL --role owner` makes the first")


@command.command()
@_email
@click.option("--role", type=_ROLES, default=Role.VIEWER.value, show_default=True)
@click.option("--name", default="", help="What they are called.")
def add(email: str, role: str, name: str) -> None:
    """Add a member. The first one has to be an owner."""
    address = normal_email(email)
    if address is None:
        raise click.UsageError(f"{email} is no e-mail address")
    if len(name) > MOST_NAME:
        raise click.UsageError(f"--name is longer than {MOST_NAME} characters")
    kept, now = _new_password(), system_clock()
    made = Member(new_id(now), address, name, Role(role), now)

    def write(connection: Connection) -> None:
        members.lock(connection)
        if made.role is not Role.OWNER and not members.any_member(connection):
            raise NotPossible("there is no owner yet: add one first, with --role owner")
        members.add(connection, made, kept)

    _change("create_member", address, write, {"email": address, "name": name, "role": role})
    click.echo(f"added  {one_line(address)}  {role}")


@command.command("reset-password")
@_email
def reset_password(email: str) -> None:
    """Give a member another password; they are signed out everywhere."""
    kept = _new_password()

    def write(connection: Connection) -> None:
        found = _named(connection, email)
        members.set_password(connection, found.id, kept)
        sessions.end_all(connection, found.id)

    _change("reset_password", email, write)
    click.echo(f"changed  {one_line(email)}")


@command.command()
@_email
def remove(email: str) -> None:
    """Remove a member, who is signed out at once. The last owner stays."""
    _change("remove_member", email, lambda c: members.remove(c, _named(c, email).id))
    click.echo(f"removed  {one_line(email)}")


def _change(
    action: str, email: str, change: Callable[[Connection], None], after: dict[str, str] | None = None
) -> None:
    """Change members, and note in the audit log who did."""

    async def work(database: Database) -> None:
        async with noted(database, action, f"members/{email}", after):
            await database.write(change)

    _in_database(work)


def _in_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """Work on the database; what is refused is told in one line."""

    async def run() -> T:
        async with opened(load(os.environ)) as database:
            return await work(database)

    try:
        return asyncio.run(run())
    except RequestError as error:
        raise NotPossible(error.message) from error


def _named(connection: Connection, email: str) -> Member:
    found = members.by_email(connection, normal_email(email) or email)
    return found[0] if found else _missing(email)


def _missing(email: str) -> NoReturn:
    raise NotPossible(f"there is no member {email}; `clarion members list` lists those there are")


def _new_password() -> str:
    """The hash of a password that is asked for."""
    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if reason := fault(password):
        raise NotPossible(f"the password {reason}")
    return asyncio.run(Passwords().hashed(password))


def _row(item: tuple[Member, Millis | None]) -> str:
    member, seen = item
    last = f"last seen {iso(seen)}" if seen else "not signed in"
    return f"{member.role.value:<6}  {one_line(member.email)}  {one_line(member.name)}  {last}"


def _for_programs(member: Member, seen: Millis | None) -> dict[str, str | None]:
    return {
        "id": member.id,
        "email": member.email,
        "name": member.name,
        "role": member.role.value,
        "createdAt": iso(member.created_at),
        "lastSeenAt": iso(seen) if seen else None,
    }
