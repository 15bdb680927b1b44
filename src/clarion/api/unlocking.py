"""Files that are opened with a password, in a process of their own first: a file says itself how often the
password is hashed, and nothing in a process stops what hashes there."""

import asyncio
import resource
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from clarion.errors import CredentialsInvalid, Unprocessable
from clarion.providers.port import Provider
from clarion.providers.registry import PROVIDERS

SECONDS = 2
"""Of processor time, the start of the process included; a file as programs export it takes hundredths."""
_WAITED_SECONDS = 60.0
_TOO_LONG = "it takes too long to open: export it anew, with less than a million rounds for its password"


class Locked(msgspec.Struct):
    """What the process is told: the provider's id and an integration's credentials."""

    provider: str
    credentials: dict[str, Any]


async def check_unlocks(provider: Provider[Any], credentials: Mapping[str, Any]) -> None:
    """Refuses files among the credentials that take longer to open than `SECONDS`; whether they do open is
    not told here."""
    named = next((name for name in sorted(provider.locked_files) if credentials.get(name)), None)
    if named is None:
        return
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__), stdin=asyncio.subprocess.PIPE
    )
    told = msgspec.json.encode(Locked(provider.id, dict(credentials)))
    try:
        await asyncio.wait_for(child.communicate(told), _WAITED_SECONDS)
    except TimeoutError:
        child.kill()
        await child.wait()
    if child.returncode and child.returncode > 0:
        raise RuntimeError(f"the process that opens files of credentials ended with {child.returncode}")
    if child.returncode:
        raise Unprocessable.field(f"credentials.{named}", _TOO_LONG)


def main() -> None:
    """The process: it is over in time, or the system ends it."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    locked = msgspec.json.decode(sys.stdin.buffer.read(), type=Locked)
    try:
        PROVIDERS[locked.provider].credentials(locked.credentials)
    except CredentialsInvalid:
        return


if __name__ == "__main__":
    main()
