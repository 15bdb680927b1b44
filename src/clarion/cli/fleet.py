"""Several processes of one kind: started together, replaced when one dies, stopped in order."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from threading import Event, Thread
from types import FrameType
from typing import Any

import structlog

log = structlog.get_logger(__name__)

STOP_SECONDS = 12.0
"""How long processes may take to stop; those that take longer are killed."""

_LONGEST_PAUSE = 10.0
_LIVED_LONG_SECONDS = 30.0


def run_fleet(count: int, target: Callable[..., None], *arguments: Any) -> None:
    """Keep `count` processes running `target(number, *arguments)` until SIGINT or SIGTERM, numbered from 0.
    Both must be picklable."""
    stop = Event()

    def asked(_: int, __: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, asked)
    members = [_Member(target, (number, *arguments)) for number in range(count)]
    while not stop.wait(0.1):
        for member in members:
            member.keep_running()
    _stop(members)


class _Member:
    """One place in the fleet. A process that keeps dying young is started again ever more slowly."""

    def __init__(self, target: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self._target = target
        self._arguments = arguments
        self._pause = 0.5
        self._not_before = 0.0
        self.process = self._start()

    def keep_running(self) -> None:
        """Start it anew when it died."""
        if self.process.is_alive():
            return
        now = time.monotonic()
        if not self._not_before:
            self._pause = 0.5 if now - self._began > _LIVED_LONG_SECONDS else self._pause
            log.error("process died, starting another", code=self.process.exitcode, seconds=self._pause)
            self._not_before = now + self._pause
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        elif now >= self._not_before:
            self._not_before = 0.0
            self.process = self._start()

    def _start(self) -> BaseProcess:
        self._began = time.monotonic()
        arguments = (self._target, self._arguments)
        process = multiprocessing.get_context("spawn").Process(target=_with_parent, args=arguments)
        process.start()
        return process


def _with_parent(target: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Run the target, and stop it when the parent dies: nobody would stop or replace it any more."""
    Thread(target=_stop_with_parent, daemon=True).start()
    target(*arguments)


def _stop_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(members: list[_Member]) -> None:
    for member in members:
        member.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for member in members:
        member.process.join(max(deadline - time.monotonic(), 0))
        if member.process.is_alive():
            log.error("process didn't stop in time, killing it", pid=member.process.pid)
            member.process.kill()
            member.process.join()
