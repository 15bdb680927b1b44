"""A minute of triggers while the server is killed every other second: what was acknowledged arrives, once."""

import os
import random
import threading
import time
from collections import defaultdict
from pathlib import Path

import httpx
import pytest

from clarion.testing.fcm import AcceptedMessage, FcmEmulator
from clarion.testing.kit import EmulatorThread
from news import connect_fcm, make_news
from running import KEY, ClarionProcess, wait_for

SECONDS = float(os.environ.get("CLARION_SOAK_SECONDS", "60"))
CLIENTS = 4
PAUSE = 0.02
"""Seconds between the triggers of one client."""

DEVICES = ("fine", "fine", "fine", "fine", "flaky-1", "flaky-2", "slow-300", "reset-1", "refused-1", "goaway")
"""What the devices of the triggers are like; the words are the emulator's."""


class Soaked(ClarionProcess):
    """A process whose memory can be seen."""

    @property
    def memory(self) -> int:
        """Resident memory in KiB."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


class Client(threading.Thread):
    """Triggers one device after the other, each again under its transaction until it is acknowledged."""

    def __init__(self, number: int, process: ClarionProcess, stop: threading.Event, seed: int) -> None:
        super().__init__(name=f"client-{number}")
        self.acknowledged: list[str] = []
        self.repeated = 0
        self.refused: list[str] = []
        self._number = number
        self._process = process
        self._asked_to_stop = stop
        self._random = random.Random(f"{seed}:{number}")

    def run(self) -> None:
        with httpx.Client(headers={"authorization": f"ApiKey {KEY}"}, timeout=5) as client:
            while not self._asked_to_stop.wait(PAUSE):
                token = f"{self._random.choice(DEVICES)}:{self._number}:{len(self.acknowledged)}"
                self._acknowledge(client, token)
                self.acknowledged.append(token)

    def _acknowledge(self, client: httpx.Client, token: str) -> None:
        patience = time.monotonic() + 30
        while not self._trigger(client, token):
            assert time.monotonic() < patience, "nobody answers any more"
            self.repeated += 1
            time.sleep(PAUSE)

    def _trigger(self, client: httpx.Client, token: str) -> bool:
        channel = {"providerId": "fcm", "credentials": {"deviceTokens": [token]}}
        to = {"subscriberId": f"person-{token}", "channels": [channel]}
        body = {"name": "news", "to": to, "transactionId": f"t-{token}", "payload": {"text": token}}
        try:
            answer = client.post(f"{self._process.url}/v1/events/trigger", json=body)
        except httpx.TransportError:
            return False
        if answer.status_code != 201:
            self.refused.append(f"{answer.status_code} {answer.text}")
        return answer.status_code == 201


def prepare(process: ClarionProcess, emulators: EmulatorThread) -> None:
    with process.client as client:
        connect_fcm(client, emulators)
        make_news(client)


def kill_again_and_again(process: ClarionProcess, seed: int) -> int:
    """Kill and restart at random moments, about every two seconds; how often that was."""
    chance, kills, end = random.Random(seed), 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.2, 3.0))
        process.kill()
        process.start()
        kills += 1
    return kills


def reached(emulators: EmulatorThread) -> dict[str, list[AcceptedMessage]]:
    found: dict[str, list[AcceptedMessage]] = defaultdict(list)
    for message in emulators.messages():
        found[message.token].append(message)
    return found


@pytest.mark.soak
def test_what_was_acknowledged_arrives_once_however_often_the_server_dies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("CLARION_SOAK_SEED", "") or random.SystemRandom().getrandbits(32))
    with capsys.disabled():
        print(f"\nseed {seed}: repeat with CLARION_SOAK_SEED={seed}")
    with EmulatorThread(tmp_path, fcm=FcmEmulator(unavailable_retry_after=1)) as emulators:
        process = Soaked(tmp_path, emulators).start()
        prepare(process, emulators)
        stop = threading.Event()
        clients = [Client(number, process, stop, seed) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            kills = kill_again_and_again(process, seed)
        finally:
            stop.set()
            for client in clients:
                client.join()
        acknowledged = {token for client in clients for token in client.acknowledged}
        wait_for(lambda: reached(emulators).keys() >= acknowledged or None, 60)
        ledger = process.settled()
        arrived, memory = reached(emulators), process.memory
        assert process.stop() == 0
        sent = sum(map(len, arrived.values()))
        with capsys.disabled():
            print(
                f"{len(acknowledged)} triggers acknowledged over {kills} kills,"
                f" {sum(client.repeated for client in clients)} asked again, {sent} messages at FCM"
                f" ({sent - len(arrived)} repeats), last process {memory // 1024} MiB"
            )
        assert [refusal for client in clients for refusal in client.refused] == []
        assert arrived.keys() == acknowledged
        for token, messages in arrived.items():
            assert len({item.message["android"]["collapse_key"] for item in messages}) == 1, token
            assert len(emulators.shown(token)) == 1, token
        assert (ledger.planned, ledger.delivered) == (len(acknowledged), len(acknowledged))
        assert (ledger.failed, ledger.cancelled, ledger.skipped) == (0, 0, 0)
        assert "batch failed" not in process.log
        assert KEY not in process.log
