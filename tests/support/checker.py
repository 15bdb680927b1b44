"""A checker outside the system: it triggers by number, and asks the emulator what became of each."""

import os
import random
import threading
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx

from clarion.model.clock import SECOND, Millis, system_clock
from clarion.testing.fcm import AcceptedMessage, FcmEmulator
from clarion.testing.fcm_fields import reach
from clarion.testing.kit import EmulatorThread
from clarion.testing.phones import COLLAPSING
from news import connect_fcm, make_news
from running import KEY, ClarionProcess, wait_for

CONCURRENCY = 100
"""Requests in flight of one worker, as CLARION_DELIVERY_CONCURRENCY is by default."""

_PER_CALL = 500
_LAST_WORDS: Millis = 100
"""What a killed process had sent may be read so much later; no other process starts faster."""

_COMMIT: Millis = 20
"""Of sends that a killed process may have had answered and not yet written."""

Expected = tuple[str, str]
"""A number, which is the text of the message, and the token of a device it is for."""


class Kill(NamedTuple):
    """The moment a process was killed, and whether it delivered."""

    at: Millis
    delivered: bool


class Refusal(NamedTuple):
    """An answer that is no 201."""

    status: int
    body: Mapping[str, Any]
    retry_after: str | None

    @property
    def message(self) -> str:
        """What the caller is told."""
        return str(self.body.get("message", ""))


class Figures(NamedTuple):
    """What came out. `slack` has an entry for each kill of a worker: its repeats less what is allowed;
    `recoveries` one for each kill. `stray` are repeats that no kill explains."""

    accepted: int
    arrived: int
    lost: set[Expected]
    unasked: set[Expected]
    repeated: int
    stray: int
    double_shown: int
    slack: list[int]
    recoveries: list[Millis]

    @property
    def recovery(self) -> Millis:
        """The longest."""
        return max(self.recoveries, default=0)


def seed_of(name: str) -> int:
    """The seed of a test's chances, printed so that it can be run again."""
    seed = int(os.environ.get("CLARION_SOAK_SEED", "") or random.SystemRandom().getrandbits(32))
    print(f"\n{name}: repeat with CLARION_SOAK_SEED={seed}")
    return seed


@contextmanager
def ending(*processes: ClarionProcess) -> Iterator[None]:
    """Leave none of the processes behind, whatever happens in the block."""
    try:
        yield
    finally:
        for process in processes:
            process.kill()


def prepare(process: ClarionProcess, emulators: EmulatorThread, devices: Mapping[str, str]) -> None:
    """An integration, a workflow that shows the number, and a person for each device."""
    with process.client as client:
        connect_fcm(client, emulators)
        make_news(client)
        people = [_person(name, token) for name, token in devices.items()]
        for start in range(0, len(people), _PER_CALL):
            body = {"subscribers": people[start : start + _PER_CALL]}
            client.post("/v1/subscribers/bulk", json=body).raise_for_status()


def _person(name: str, token: str) -> dict[str, Any]:
    channel = {"providerId": "fcm", "credentials": {"deviceTokens": [token]}}
    return {"subscriberId": name, "channels": [channel]}


class Checker:
    """Triggers from a thread of its own while the context is open; any of the processes may be gone.

    `devices` are tokens by subscriber. A call without an answer is `unknown`: it may arrive or not.
    `ahead` is how many recipients of broadcasts may be under way before the next one; 0 sends none.
    """

    def __init__(
        self,
        processes: Sequence[ClarionProcess],
        fcm: FcmEmulator,
        devices: Mapping[str, str],
        *,
        seed: int = 0,
        pause: float = 0.005,
        ahead: int = 0,
        timeout: float = 10.0,
    ) -> None:
        self.refusals: list[Refusal] = []
        self.unanswered = 0
        self.recipients = 0
        """Acknowledged so far."""
        self.last_acknowledged: Millis = 0
        self._processes = processes
        self._fcm = fcm
        self._devices = devices
        self._names = list(devices)
        self._random = random.Random(seed)
        self._pause = pause
        self._ahead = ahead
        self._timeout = timeout
        self._acknowledged: set[Expected] = set()
        self._unknown: set[Expected] = set()
        self._kills: list[Kill] = []
        self._arrivals: dict[Expected, list[AcceptedMessage]] = defaultdict(list)
        self._seen = 0
        self._number = 0
        self._asked_to_stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checker")
        self._trouble: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asked_to_stop.set()
        self._thread.join()
        if self._trouble and error is None:
            raise self._trouble

    def kill(self, process: ClarionProcess, *, delivers: bool = True) -> None:
        """`kill -9`, remembered with its moment."""
        process.kill()
        self._kills.append(Kill(system_clock(), delivers))

    def back(self, moment: Millis) -> None:
        """Remember when something came back that no process delivers without."""
        self._kills.append(Kill(moment, False))

    def kill_again_and_again(
        self, processes: Sequence[tuple[ClarionProcess, str]], enough: Callable[[int], bool], pause: float
    ) -> None:
        """Kill one of the processes, each given with its verb, at random moments `pause` s apart on average.

        It is started again before the next one is killed, so that a recovery is the recovery from one kill.
        Ends when so many kills are `enough`.
        """
        while not enough(len(self._kills)):
            time.sleep(self._random.uniform(0, 2 * pause))
            process, verb = self._random.choice(processes)
            self.kill(process, delivers=verb != "api")
            process.start(verb)

    def wait_until_arrived(self, seconds: float) -> None:
        """Return once every acknowledged recipient was reached; `AssertionError` names some that were not."""
        try:
            wait_for(lambda: None if self._missing() else True, seconds)
        except AssertionError:
            missing = self._missing()
            raise AssertionError(f"{len(missing)} never arrived, such as {sorted(missing)[:3]}") from None

    def acknowledged_after(self, moment: Millis, seconds: float) -> Millis:
        """How long after `moment` a call was acknowledged again."""
        wait_for(lambda: True if self.last_acknowledged > moment else None, seconds)
        return self.last_acknowledged - moment

    def figures(self) -> Figures:
        """Computed from what the emulator took. A repeat is laid to the first kill after what it repeats."""
        arrivals = self._arrived()
        deaths = [kill.at for kill in self._kills if kill.delivered]
        per_death, stray = _repeats(arrivals, deaths)
        times = sorted(message.at for found in arrivals.values() for message in found)
        return Figures(
            accepted=len(self._acknowledged),
            arrived=len(arrivals),
            lost=self._acknowledged - arrivals.keys(),
            unasked=arrivals.keys() - self._acknowledged - self._unknown,
            repeated=sum(map(len, arrivals.values())) - len(arrivals),
            stray=stray,
            double_shown=sum(len(set(map(_collapse_ids, found))) - 1 for found in arrivals.values()),
            slack=[per_death[at] - CONCURRENCY - _sends_in_commit(times, at) for at in deaths],
            recoveries=[_recovery(times, kill.at) for kill in self._kills],
        )

    def say(self, figures: Figures, what: str) -> None:
        """One line with the figures."""
        print(
            f"{what}: {figures.accepted} recipients acknowledged, {figures.arrived} reached,"
            f" {len(figures.lost)} lost, {figures.repeated} device requests repeated{_per_death(figures)}"
            f" ({figures.stray} without a kill), {figures.double_shown} shown twice;"
            f" {len(self._kills)} faults, longest recovery {figures.recovery} ms,"
            f" {len(self.refusals)} calls refused, {self.unanswered} without an answer"
        )

    def _arrived(self) -> Mapping[Expected, Sequence[AcceptedMessage]]:
        """What the emulator took, looked at once each."""
        for message in self._fcm.messages[self._seen :]:
            self._seen += 1
            self._arrivals[_expected(message)].append(message)
        return self._arrivals

    def _missing(self) -> set[Expected]:
        return self._acknowledged - self._arrived().keys()

    def _run(self) -> None:
        try:
            with httpx.Client(headers={"authorization": f"ApiKey {KEY}"}, timeout=self._timeout) as client:
                while not self._asked_to_stop.wait(self._pause):
                    self._trigger(client)
        except Exception as error:
            self._trouble = error

    def _trigger(self, client: httpx.Client) -> None:
        """One trigger: a broadcast when there is room for it, else one for a person."""
        self._number += 1
        body = {"name": "news", "transactionId": f"t-{self._number}", "payload": {"text": f"{self._number}"}}
        if self.recipients - len(self._fcm.messages) < self._ahead:
            self._call(client, "/v1/events/trigger/broadcast", body, self._devices.values())
        else:
            name = self._random.choice(self._names)
            self._call(client, "/v1/events/trigger", body | {"to": name}, [self._devices[name]])

    def _call(self, client: httpx.Client, path: str, body: Mapping[str, Any], tokens: Iterable[str]) -> None:
        expected = {(f"{self._number}", token) for token in tokens}
        try:
            answer = client.post(f"{self._random.choice(self._processes).url}{path}", json=body)
        except httpx.TransportError:
            self.unanswered += 1
            self._unknown |= expected
            return
        if answer.status_code == 201:
            self._acknowledged |= expected
            self.recipients += len(expected)
            self.last_acknowledged = system_clock()
        else:
            self.refusals.append(_refusal(answer))
            self._unknown |= expected


def _per_death(figures: Figures) -> str:
    deaths = len(figures.slack)
    if not deaths:
        return ""
    over = sum(slack > 0 for slack in figures.slack)
    each, worst = figures.repeated / deaths, max(figures.slack)
    return f", {each:.1f} a killed worker, at worst {worst:+} to the bound ({over} of {deaths} over it)"


def _refusal(answer: httpx.Response) -> Refusal:
    return Refusal(answer.status_code, answer.json(), answer.headers.get("retry-after"))


def _expected(message: AcceptedMessage) -> Expected:
    return str(reach(message.message, "notification", "body") or ""), message.token


def _collapse_ids(message: AcceptedMessage) -> tuple[object, ...]:
    """What makes a repeat replace what it repeats; a message without any never does."""
    found = tuple(reach(message.message, *path) for path in COLLAPSING)
    return found if any(found) else (object(),)


def _repeats(
    arrivals: Mapping[Expected, Sequence[AcceptedMessage]], deaths: Sequence[Millis]
) -> tuple[Counter[Millis], int]:
    """Repeats by the death they are due to, and how many no death explains."""
    per_death: Counter[Millis] = Counter()
    stray = 0
    for found in arrivals.values():
        for first, again in pairwise(found):
            place = bisect_left(deaths, first.at - _LAST_WORDS)
            if place < len(deaths) and deaths[place] <= again.at:
                per_death[deaths[place]] += 1
            else:
                stray += 1
    return per_death, stray


def _sends_in_commit(times: Sequence[Millis], kill: Millis) -> int:
    """Sends of so long as an outcome may wait to be written, at the rate of the second before the kill."""
    return _between(times, kill - SECOND, kill) * _COMMIT // SECOND


def _recovery(times: Sequence[Millis], kill: Millis) -> Millis:
    """From the kill to the next request that a living process made; to now when there was none."""
    after = bisect_left(times, kill + _LAST_WORDS)
    return (times[after] if after < len(times) else system_clock()) - kill


def _between(times: Sequence[Millis], start: Millis, end: Millis) -> int:
    return bisect_left(times, end) - bisect_left(times, start)
