"""The fault words of the emulators, for people."""

from clarion.testing.faults import SLOW_MILLISECONDS, Word

MEANINGS: dict[Word, str] = {
    Word.DEAD: "the device is gone: Clarion retires the token",
    Word.MALFORMED: "this is no token: retired as well",
    Word.OTHERSENDER: "the token belongs to another sender",
    Word.IOSNOKEY: "the provider lacks the key for the device's platform",
    Word.THROTTLED: "429 with Retry-After, N times (1), then accepted",
    Word.FLAKY: "503, N times (1), then accepted",
    Word.DOWN: "503, always",
    Word.SLOW: f"the answer comes N milliseconds late ({SLOW_MILLISECONDS})",
    Word.RESET: "the TCP connection is reset, N times (1), then accepted",
    Word.GOAWAY: "accepted, and the connection takes no further requests",
    Word.REFUSED: "the HTTP/2 stream is refused, N times (1), then accepted",
    Word.HTML: "502 with an HTML page, N times (1), then accepted",
    Word.CODE: "the provider's error of the code or HTTP status that follows: phone-code-413",
}

HOW = "A word in a device token decides what goes wrong, a number after it is N: phone-dead, phone-flaky-2."


def rows() -> list[tuple[str, str]]:
    """Word and meaning, in the order of the documentation."""
    return [(word.value, meaning) for word, meaning in MEANINGS.items()]
