"""How lanes are named on a NATS server, and the streams that hold them.

A lane `deliver:7f3a` is the subject `clarion.deliver.7f3a` and the consumer `deliver-7f3a`. Whatever a
subject or a consumer can't hold is written `=XX`, so that every lane has exactly one name and back.
"""

import re
from typing import Any

from clarion.model.clock import MINUTE, SECOND, Millis

DUPLICATES: Millis = 5 * MINUTE
"""How long the server remembers a message id: beyond it, what is published again is there twice."""

_NANOS = 1_000_000
_UNSAFE = re.compile(r"[^A-Za-z0-9_]")
_ESCAPED = re.compile(r"(?:=[0-9A-F]{2})+")
_EMPTY = "="
_MOST_UNACKNOWLEDGED = 10_000
_IDLE: Millis = 24 * 3600 * SECOND


class Names:
    """Everything the journal calls its own on the server; `prefix` keeps two installations apart."""

    def __init__(self, prefix: str) -> None:
        self.stream = prefix
        self.parked = f"{prefix}_parked"
        self._later = f"{prefix}_later"

    def subject(self, lane: str) -> str:
        """Where the records of a lane are published."""
        return ".".join([self.stream, *_tokens(lane)])

    def later(self, lane: str, identity: str) -> str:
        """Where a record waits for its time: a subject of its own, since the last schedule of one counts."""
        return ".".join([self._later, *_tokens(lane), identity])

    def lane(self, subject: str) -> str:
        """The lane of a subject."""
        return ":".join(map(_unescaped, subject.split(".")[1:]))

    def below(self, lane_prefix: str) -> str:
        """A filter that finds all lanes with the prefix, and perhaps more."""
        return ".".join([self.stream, *_tokens(lane_prefix)[:-1], ">"])

    def streams(self, replicas: int) -> list[dict[str, Any]]:
        """The streams: lanes, whose records go when they are acknowledged, and what is set aside."""
        common = {"storage": "file", "num_replicas": replicas}
        lanes = {
            "name": self.stream,
            "subjects": [f"{self.stream}.>", f"{self._later}.>"],
            "retention": "workqueue",
            "duplicate_window": DUPLICATES * _NANOS,
            "allow_atomic": True,
            "allow_msg_schedules": True,
        }
        parked = {"name": self.parked, "subjects": [self.parked], "retention": "limits"}
        return [{**lanes, **common}, {**parked, **common}]

    def consumer(self, lane: str, lease: Millis) -> dict[str, Any]:
        """The durable consumer of a lane; the server forgets it when nobody has asked for a day."""
        name = consumer_name(lane)
        return {
            "name": name,
            "durable_name": name,
            "filter_subject": self.subject(lane),
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": lease * _NANOS,
            "max_ack_pending": _MOST_UNACKNOWLEDGED,
            "inactive_threshold": _IDLE * _NANOS,
        }


def consumer_name(lane: str) -> str:
    """The name of a lane's consumer."""
    return "-".join(_tokens(lane))


def _tokens(lane: str) -> list[str]:
    return [_UNSAFE.sub(_escaped, part) or _EMPTY for part in lane.split(":")]


def _escaped(match: re.Match[str]) -> str:
    return "".join(f"={byte:02X}" for byte in match[0].encode())


def _unescaped(token: str) -> str:
    if token == _EMPTY:
        return ""
    return _ESCAPED.sub(lambda match: bytes.fromhex(match[0].replace("=", "")).decode(), token)
