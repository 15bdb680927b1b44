"""One running Clarion with its emulators for all wire tests; each test brings its own subscribers."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from novu_py import Novu
from novu_py.utils.retries import BackoffStrategy, RetryConfig

from clarion.testing.fcm import FcmEmulator
from clarion.testing.kit import EmulatorThread
from clarion.testing.webhook import WebhookReceiver
from running import KEY, ClarionProcess
from sdk_coverage import CallLog, Connect

RETRIES = {
    "retries off": None,
    "retries on": RetryConfig("backoff", BackoffStrategy(100, 500, 1.5, 2_000), True),
}
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
    directory = tmp_path_factory.mktemp("clarion")
    process = ClarionProcess(directory, emulators, egress_allow="127.0.0.1").start()
    try:
        prepare(process, emulators)
        yield process
        ledger = process.settled()
        assert ledger.planned == ledger.delivered + ledger.failed + ledger.cancelled
        assert "Traceback" not in process.log
    finally:
        assert process.stop() == 0


@pytest.fixture(scope="session")
def call_log(tmp_path_factory: pytest.TempPathFactory) -> CallLog:
    """What both SDKs called, and how it was answered."""
    return CallLog(tmp_path_factory.mktemp("calls") / "calls.jsonl")


@pytest.fixture(params=RETRIES)
def sdk(request: pytest.FixtureRequest, clarion: ClarionProcess, call_log: CallLog) -> Iterator[Connect]:
    """Makes Novu's official Python SDK for a key; every test runs with its retries off and on."""
    hooks = {"response": [call_log.add]}
    with httpx.Client(follow_redirects=True, event_hooks=hooks) as client:

        def connect(key: str) -> Novu:
            return Novu(
                secret_key=key, server_url=clarion.url, client=client, retry_config=RETRIES[request.param]
            )

        yield connect


@pytest.fixture
def novu(sdk: Connect) -> Iterator[Novu]:
    """The SDK with the key of the tests."""
    with sdk(KEY) as novu:
        yield novu


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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known when this folder is named on the command line."""
    parser.addoption("--write-sdk-coverage", action="store_true", help="Write docs/sdk-coverage.md anew.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks at all calls comes after them."""
    items.sort(key=lambda item: item.path.name == "test_sdk_coverage.py")
