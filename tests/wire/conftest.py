"""One running Clarion with its emulators for all wire tests; each test brings its own subscribers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from novu_py import Novu

from clarion.testing.fcm import FcmEmulator
from clarion.testing.kit import EmulatorThread
from clarion.testing.webhook import WebhookReceiver
from running import KEY, ClarionProcess

WEBHOOK_SECRET = "signing secret of the tests"


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorThread]:
    """FCM and a webhook receiver over TLS; what is unavailable asks to come back in a second."""
    fcm = FcmEmulator(unavailable_retry_after=1)
    webhook = WebhookReceiver(WEBHOOK_SECRET)
    with EmulatorThread(tmp_path_factory.mktemp("emulators"), fcm=fcm, webhook=webhook) as running:
        yield running


@pytest.fixture(scope="session")
def clarion(tmp_path_factory: pytest.TempPathFactory, emulators: EmulatorThread) -> Iterator[ClarionProcess]:
    """`clarion serve`, with two FCM integrations and one webhook; its ledger balances in the end."""
    process = ClarionProcess(tmp_path_factory.mktemp("clarion"), emulators).start()
    try:
        prepare(process, emulators)
        yield process
        ledger = process.settled()
        assert ledger.planned == ledger.delivered + ledger.failed + ledger.cancelled
        assert "Traceback" not in process.log
    finally:
        assert process.stop() == 0


@pytest.fixture
def novu(clarion: ClarionProcess) -> Iterator[Novu]:
    """Novu's official Python SDK."""
    with Novu(secret_key=KEY, server_url=clarion.url) as sdk:
        yield sdk


def prepare(process: ClarionProcess, emulators: EmulatorThread) -> None:
    """The integrations and the workflow that the documentation's flows need."""
    account = emulators.service_account()
    webhook = {"webhookUrl": emulators.webhook_url, "secretKey": WEBHOOK_SECRET}
    push = {
        "name": "Push",
        "type": "push",
        "controlValues": {"subject": "Hello {{subscriber.firstName}}", "body": "{{payload.text}}"},
    }
    with process.client as client:
        for identifier, provider, credentials in (
            ("fcm-older", "fcm", {"serviceAccount": account}),
            ("fcm-newer", "fcm", {"serviceAccount": account}),
            ("hook", "push-webhook", webhook),
        ):
            body = {
                "name": identifier,
                "identifier": identifier,
                "providerId": provider,
                "channel": "push",
                "credentials": credentials,
                "active": True,
            }
            client.post("/v1/integrations", json=body).raise_for_status()
        workflow = {"name": "Welcome", "workflowId": "welcome", "active": True, "steps": [push]}
        client.post("/v2/workflows", json=workflow).raise_for_status()


@pytest.fixture(scope="session")
def typescript() -> Path:
    """The folder of the tests that use the TypeScript SDK, with what they need installed."""
    folder = Path(__file__).parent / "typescript"
    stamp = folder / "node_modules" / ".installed"
    assert stamp.exists(), "The TypeScript SDK is not installed: run make test, which installs it"
    return folder
