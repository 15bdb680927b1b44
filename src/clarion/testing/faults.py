"""Faults that a device token asks for by a word in it.

A token is split at `-`, `_` and `:`; the first part that is a word decides, in any case of letters.
A number of up to nine digits in the part after it is the word's N: `flaky-2:abc`, `phone-dead-1`.
All that comes after `code` is a code of the provider or an HTTP status: `phone-code-PayloadTooLarge`,
`phone-code-THIRD_PARTY_AUTH_ERROR`, `phone-code-413`. Of a code only letters and digits count.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from clarion.testing.exchange import Answer, Delay, GoAway, RefuseStream, Reply, Reset, json_reply

_PARTS = re.compile(r"[-_:]")
_NUMBER = re.compile(r"[0-9]{1,9}")


class Word(StrEnum):
    """What goes wrong. Those in `LIMITED` go wrong N times for a token and then right."""

    DEAD = "dead"
    """The provider says that the device is gone."""
    MALFORMED = "malformed"
    """The provider says that this is no token."""
    OTHERSENDER = "othersender"
    """The token belongs to another sender."""
    IOSNOKEY = "iosnokey"
    """The provider lacks the key for the device's platform."""
    THROTTLED = "throttled"
    """429 with `Retry-After: 1`, N times."""
    FLAKY = "flaky"
    """503, N times."""
    DOWN = "down"
    """503, always."""
    SLOW = "slow"
    """The answer comes N milliseconds late."""
    RESET = "reset"
    """The TCP connection is reset, N times."""
    GOAWAY = "goaway"
    """Accepted, and the connection takes no further requests."""
    REFUSED = "refused"
    """The HTTP/2 stream is refused unprocessed, N times."""
    HTML = "html"
    """502 with an HTML page of a front end, N times."""
    CODE = "code"
    """The provider's error of the code that follows, always."""


STATUSES = (400, 401, 402, 403, 404, 405, 406, 409, 410, 413, 422, 429, 500, 502, 503, 504)
"""The HTTP statuses that a token can ask for."""

LIMITED = frozenset({Word.THROTTLED, Word.FLAKY, Word.RESET, Word.REFUSED, Word.HTML})
SLOW_MILLISECONDS = 500
"""N of `slow` when the token gives none; of every other word it is 1."""


class Spelled(NamedTuple):
    """A word as a token spells it."""

    word: Word
    number: int
    code: str = ""


def spelled(token: str) -> Spelled | None:
    """The fault a token asks for."""
    parts = _PARTS.split(token.lower())
    for place, part in enumerate(parts):
        word = _WORDS.get(part)
        if word is not None:
            code = code_key("".join(parts[place + 1 :])) if word is Word.CODE else ""
            return Spelled(word, _number(word, parts[place + 1 : place + 2]), code)
    return None


def _number(word: Word, following: list[str]) -> int:
    if following and _NUMBER.fullmatch(following[0]):
        return int(following[0])
    return SLOW_MILLISECONDS if word is Word.SLOW else 1


def code_key(code: str) -> str:
    """A code as a token can spell it."""
    return "".join(letter for letter in code.lower() if letter.isalnum())


def by_code(replies: Mapping[str, Reply], by_status: Callable[[int], Reply]) -> dict[str, Reply]:
    """The errors of a provider that a token can ask for: by its codes, and by each usual status."""
    statuses = {str(status): by_status(status) for status in STATUSES}
    return statuses | {code_key(code): reply for code, reply in replies.items()}


_WORDS = {word.value: word for word in Word}


class Faults:
    """Counts how often each token has failed, so that limited faults end.

    `refusals` are the provider's answers to the words that are answered with an error.
    `codes` are its errors by code (see `by_code`); one that is not among them is a 400 which says so.
    `unavailable_retry_after` (seconds) goes with every 503.
    """

    def __init__(
        self,
        refusals: Mapping[Word, Reply],
        unavailable_retry_after: int | None = None,
        codes: Mapping[str, Reply] = MappingProxyType({}),
    ) -> None:
        self._codes = codes
        self._refusals = {
            word: _with_retry_after(reply, unavailable_retry_after) for word, reply in refusals.items()
        }
        self._failed: Counter[str] = Counter()

    def answer(self, token: str, accept: Callable[[], Reply]) -> Answer:
        """What a request to the token gets, where `accept` takes it and answers."""
        fault = self.due(token)
        if fault is None:
            return accept()
        match fault.word:
            case Word.RESET:
                return Reset()
            case Word.REFUSED:
                return RefuseStream()
            case Word.GOAWAY:
                return GoAway(accept())
            case Word.SLOW:
                return Delay(fault.number / 1000, accept())
            case Word.CODE:
                return self._codes.get(fault.code) or _unknown(fault.code)
        return self._refusals[fault.word]

    def due(self, token: str) -> Spelled | None:
        """The fault of this request to the token; a limited one is used up by asking."""
        fault = spelled(token)
        if fault is None or fault.word not in LIMITED:
            return fault
        if self._failed[token] >= fault.number:
            return None
        self._failed[token] += 1
        return fault

    def clear(self) -> None:
        """Start anew for every token."""
        self._failed.clear()


def _unknown(code: str) -> Reply:
    return json_reply(400, {"error": f"The stand-in knows no code {code!r}; see the testing kit's page."})


def _with_retry_after(reply: Reply, seconds: int | None) -> Reply:
    if seconds is None or reply.status != 503:
        return reply
    return Reply(reply.status, (*reply.headers, ("retry-after", str(seconds))), reply.body)
