"""What a provider takes: a text that is too long is cut between two characters as people see them. Pure."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
import regex

from clarion.model.push import PushMessage

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
MOST_BYTES_OF_A_CHARACTER = 12
"""Four in UTF-8, said three times at the most."""

_GRAPHEME = regex.compile(r"\X")


class Limit(NamedTuple):
    """What a provider takes, and how it counts."""

    most: int
    weight: Callable[[PushMessage], int]


class Fitting(NamedTuple):
    """How words are made fit to be sent: without markup and control characters where `plain`, and cut to the
    limit of their provider, by its id."""

    plain: bool = True
    limits: Mapping[str, Limit] = {}


def fitted(message: PushMessage, limit: Limit) -> PushMessage:
    """The message with its body cut as much as it has to be, and then its title; as it was where no cut
    would do."""
    if limit.weight(message) <= limit.most:
        return message
    cut = message
    for part in ("body", "title"):
        cut = _cut(cut, part, limit)
        if limit.weight(cut) <= limit.most:
            return cut
    return message


def surely_fits(title: str, body: str, around: int, limit: Limit) -> bool:
    """Whether there is no need to weigh; `around` is what the message weighs without words."""
    return around + (len(title) + len(body)) * MOST_BYTES_OF_A_CHARACTER <= limit.most


def _cut(message: PushMessage, part: str, limit: Limit) -> PushMessage:
    """The longest that fits, or nothing of that part."""
    text: str = getattr(message, part)
    ends = [match.end() for match in _GRAPHEME.finditer(text)]

    def upto(count: int) -> PushMessage:
        said = text[: ends[count - 1]].rstrip() + ELLIPSIS if count else ""
        return msgspec.structs.replace(message, **{part: said})

    too_much = bisect_left(range(len(ends)), True, key=lambda count: limit.weight(upto(count)) > limit.most)
    return upto(max(too_much - 1, 0))
