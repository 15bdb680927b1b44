"""What broke a parser once, the examples that fuzzing begins with, and a little of what it makes of them."""

import random
from pathlib import Path

import pytest

from fuzz_targets import TARGETS

FOUND = Path(__file__).parent / "found"
MUTATIONS = 300
BITES = (
    b"\0",
    b"\xff",
    b'"',
    b"{",
    b"}",
    b"[",
    b"\\u0000",
    b"\\ud800",
    b"{{",
    b"%}",
    b"-1",
    b"1e999",
    b"\n",
    b"\xed\xa0\x80",
)


def kept() -> list[Path]:
    return sorted(path for path in FOUND.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", kept(), ids=lambda path: f"{path.parent.name}-{path.name[:14]}")
def test_what_broke_a_parser_once_is_read_or_refused(path: Path) -> None:
    TARGETS[path.parent.name].read(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_examples_and_what_is_near_them_are_read_or_refused(name: str) -> None:
    target, chance = TARGETS[name], random.Random(name)
    for seed in (*target.seeds, b""):
        target.read(seed)
    for _ in range(MUTATIONS):
        raw = mutated(chance.choice(target.seeds), chance)
        try:
            target.read(raw)
        except Exception as error:
            error.add_note(f"{name}: {raw!r}")
            raise


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """A seed with some of it removed, doubled, replaced, or something put in."""
    raw = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        start = chance.randint(0, len(raw))
        end = min(start + chance.randint(0, 8), len(raw))
        raw[start:end] = chance.choice(
            (b"", bytes(raw[start:end]) * 2, chance.randbytes(end - start), chance.choice(BITES))
        )
    return bytes(raw)


def test_there_is_something_to_replay() -> None:
    assert {path.parent.name for path in kept()} <= set(TARGETS)
    assert all(target.seeds for target in TARGETS.values())
