"""A run: a workflow on its way through its steps for one recipient of a trigger."""

from enum import StrEnum

import msgspec

from clarion.model.clock import Millis
from clarion.model.push import Json


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    """Its next turn is due."""
    DELAYED = "delayed"
    """It waits for a time: a delay, or the `sendAt` of its trigger."""
    DIGESTING = "digesting"
    """It waits for more events like its own, which are merged into it."""
    REQUESTING = "requesting"
    """It waits for the answer to an HTTP request."""
    AWAITING = "awaiting"
    """It waits for what becomes of its pushes."""
    MERGED = "merged"
    """Its event became a part of another run's digest."""
    COMPLETED = "completed"
    """It came to the end of its workflow."""
    STOPPED = "stopped"
    """A step ended it before."""
    CANCELLED = "cancelled"
    """Its trigger was cancelled, or its recipient or workflow removed."""


OPEN = frozenset(
    {
        RunState.RUNNING,
        RunState.DELAYED,
        RunState.DIGESTING,
        RunState.REQUESTING,
        RunState.AWAITING,
    }
)
"""In these states a run has turns to come."""


class StepStatus(StrEnum):
    """How a step of a run ended, in the contract's words for jobs."""

    COMPLETED = "completed"
    SKIPPED = "skipped"
    FAILED = "failed"
    MERGED = "merged"
    CANCELED = "canceled"


class StepResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a step came to. `output` is what later steps name as `steps.<stepId>`; `until` is when a wait
    ends."""

    status: StepStatus | None = None
    output: Json = {}
    until: Millis | None = None


class Run(msgspec.Struct, frozen=True):
    """A run as stored. Its `id` is that of its notification.

    `turn` counts its turns: a record that asks for another than the next one is old. `step_id` is the step it
    stands at, `position` where that was in the workflow; `extensions` counts how often that step was put off
    to the recipient's schedule. `digest_key` is set while others merge into it, `merged_into` once it did.
    `results` are by step, `details` those of its notification.
    """

    environment_id: str
    id: str
    trigger_id: str
    subscriber_pk: int
    turn: int
    state: RunState
    created_at: Millis
    step_id: str = ""
    position: int = 0
    extensions: int = 0
    wake_at: Millis | None = None
    digest_key: str | None = None
    merged_into: str | None = None
    results: dict[str, StepResult] = {}
    bulk: bool = False
    place: int = 0

    @property
    def order(self) -> tuple[str, Millis, int, str]:
        """Sorts runs as their triggers were accepted: by the time that ids begin with, then as they came
        together."""
        return self.id[:12], self.created_at, self.place, self.id


ANY_TURN = -1
"""Stands for the turn where a run is woken by what it waits for, whatever its turn."""


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """A run that is to take its next turn."""

    run_id: str
    turn: int


class Turns(msgspec.Struct, frozen=True):
    """A journal record of the step runner: runs of an environment whose next turn is due."""

    environment_id: str
    turns: list[Turn]


class Recall(msgspec.Struct, frozen=True):
    """A journal record of the step runner: the runs of a cancelled trigger behind one are to end."""

    environment_id: str
    trigger_id: str
    after: str = ""


class Fetch(msgspec.Struct, frozen=True):
    """A journal record of the step runner: the HTTP request that a run stands at; `attempt` counts tries."""

    environment_id: str
    run_id: str
    turn: int
    attempt: int = 0
