import time
from statistics import median

import pytest
from argon2 import PasswordHasher

from clarion.security.passwords import LONGEST, SHORTEST, Passwords, fault


async def test_a_password_fits_what_was_kept_of_it_alone() -> None:
    passwords = Passwords()
    kept = await passwords.hashed("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert await passwords.fits("correct horse battery", kept)
    assert not await passwords.fits("correct horse batterY", kept)
    assert not await passwords.fits("correct horse battery", None)
    assert kept != await passwords.hashed("correct horse battery")


async def test_a_password_is_the_same_however_it_is_composed() -> None:
    passwords = Passwords()
    assert await passwords.fits(
        "Scho\u0308ne Gru\u0308ße", await passwords.hashed("Sch\u00f6ne Gr\u00fc\u00dfe")
    )


async def test_nobody_takes_as_long_as_somebody() -> None:
    passwords = Passwords()
    kept = await passwords.hashed("correct horse battery")
    await passwords.fits("warm up the decoy", None)

    async def spent(known: str | None) -> float:
        start = time.process_time()
        await passwords.fits("not the password", known)
        return time.process_time() - start

    somebody, nobody = [median([await spent(known) for _ in range(5)]) for known in (kept, None)]
    assert nobody == pytest.approx(somebody, rel=0.5)


def test_weaker_parameters_are_outdated() -> None:
    passwords = Passwords()
    assert passwords.outdated(PasswordHasher(time_cost=1, memory_cost=1024).hash("x"))
    assert not passwords.outdated(PasswordHasher().hash("x"))


@pytest.mark.parametrize(
    ("length", "fine"), [(SHORTEST - 1, False), (SHORTEST, True), (LONGEST, True), (LONGEST + 1, False)]
)
def test_length_is_what_counts(length: int, fine: bool) -> None:
    assert (fault("x" * length) == "") is fine
