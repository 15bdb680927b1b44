"""All emulators behind one TLS server, in this event loop or in a thread of their own."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from clarion.model.clock import Millis
from clarion.testing import apns, expo, huawei, onesignal, pusher_beams, pushpad, web_push
from clarion.testing.apns import CERTIFICATE, ApnsEmulator
from clarion.testing.certificates import Authority
from clarion.testing.exchange import Answer, Reply, Request, json_reply
from clarion.testing.expo import ExpoEmulator
from clarion.testing.fcm import AcceptedMessage, FcmEmulator
from clarion.testing.huawei import HuaweiEmulator
from clarion.testing.onesignal import OneSignalEmulator
from clarion.testing.phones import Phones, Shown
from clarion.testing.pusher_beams import BeamsEmulator
from clarion.testing.pushpad import PushpadEmulator
from clarion.testing.record import Attempt, Record
from clarion.testing.server import EmulatorServer
from clarion.testing.web_push import WebPushEmulator
from clarion.testing.webhook import Delivery, WebhookReceiver

T = TypeVar("T")

_PROVIDERS = (
    "fcm",
    "apns",
    "expo",
    "one-signal",
    "pusher-beams",
    "pushpad",
    "push-webhook",
    "web-push",
    "huawei",
)


class Seen(msgspec.Struct, frozen=True):
    """One line of `/_clarion/messages`. `id` is what the sender was told, `message` what it sent."""

    provider: str
    token: str
    id: str
    at: Millis
    message: dict[str, Any]


class Emulators:
    """The emulators, and what another process may ask over HTTP:

    `GET /_clarion/messages` is a JSON list of what was accepted, `GET /_clarion/messages?stream=1` the same
    and what comes, one JSON object a line, and `POST /_clarion/reset` forgets it.
    """

    def __init__(self, fcm: FcmEmulator, webhook: WebhookReceiver) -> None:
        self.fcm = fcm
        self.webhook = webhook
        self.apns = ApnsEmulator()
        self.expo = ExpoEmulator()
        self.onesignal = OneSignalEmulator()
        self.beams = BeamsEmulator()
        self.pushpad = PushpadEmulator()
        self.huawei = HuaweiEmulator()
        self.web_push = WebPushEmulator()
        self.phones = Phones(fcm, webhook)
        self.timeline: Record[Seen] = Record()
        self.server: EmulatorServer
        self.ca_file: Path
        self.authority: Authority
        fcm.record.on_add(lambda message: self.timeline.add(_of_fcm(message)))
        webhook.record.on_add(lambda delivery: self.timeline.add(_of_webhook(delivery)))
        self._follow()

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        directory: Path,
        port: int = 0,
        *,
        fcm: FcmEmulator | None = None,
        webhook: WebhookReceiver | None = None,
        max_concurrent_streams: int = 100,
    ) -> AsyncIterator[Self]:
        """Serve until the block ends. The certificate authority is kept in `directory`."""
        emulators = cls(fcm or FcmEmulator(), webhook or WebhookReceiver())
        authority = Authority.kept_in(directory)
        emulators.ca_file = authority.ca_file
        emulators.authority = authority
        emulators.server = EmulatorServer(
            emulators.handle,
            authority.server_context(),
            port=port,
            max_concurrent_streams=max_concurrent_streams,
        )
        async with emulators.server:
            yield emulators

    def apns_certificate(self, app: str, password: str) -> str:
        """An app's certificate for APNs with its key: the .p12 file in base64."""
        return b64encode(self.authority.client_certificate(CERTIFICATE + app, password)).decode()

    def _follow(self) -> None:
        """Put what the other emulators accept on the timeline."""
        singles: tuple[tuple[str, Record[Any]], ...] = (
            ("apns", self.apns.record),
            ("expo", self.expo.record),
            ("one-signal", self.onesignal.record),
            ("web-push", self.web_push.record),
        )
        for provider, record in singles:
            record.on_add(partial(self._seen, provider))
        groups: tuple[tuple[str, Record[Any]], ...] = (
            ("pusher-beams", self.beams.record),
            ("pushpad", self.pushpad.record),
            ("huawei", self.huawei.record),
        )
        for provider, record in groups:
            record.on_add(partial(self._seen_by_many, provider))

    def _seen(self, provider: str, entry: Any) -> None:
        self.timeline.add(Seen(provider, entry.token, entry.id, entry.at, entry.message))

    def _seen_by_many(self, provider: str, entry: Any) -> None:
        for token in entry.tokens:
            self.timeline.add(Seen(provider, token, entry.id, entry.at, entry.message))

    @property
    def url(self) -> str:
        """The origin all emulators share."""
        return self.server.url

    @property
    def webhook_url(self) -> str:
        """Where pushes of a webhook integration go."""
        return f"{self.url}/webhook"

    def provider_urls(self) -> dict[str, str]:
        """For `CLARION_PROVIDER_URLS`: every provider's requests come here, their paths as they are."""
        return dict.fromkeys(_PROVIDERS, self.url)

    def reset(self) -> None:
        """Forget what was accepted and tried, for every provider."""
        for emulator in self._all():
            emulator.reset()
        self.timeline.clear()

    def _all(self) -> tuple[Any, ...]:
        others = (self.apns, self.expo, self.onesignal, self.beams, self.pushpad, self.huawei, self.web_push)
        return (self.fcm, self.webhook, *others)

    async def handle(self, request: Request) -> Answer:
        """Answer a request by its path."""
        emulator = self._at(request.route)
        if emulator is None:
            return self._own(request)
        answer: Answer = await emulator.handle(request)
        return answer

    def _at(self, route: str) -> Any:
        """The emulator that answers at a path."""
        if route in onesignal.PATHS:
            return self.onesignal
        if route == huawei.TOKEN_PATH or huawei.SEND_PATH.fullmatch(route):
            return self.huawei
        prefixes = {
            "/token": self.fcm,
            "/v1/projects/": self.fcm,
            "/webhook": self.webhook,
            apns.PATH: self.apns,
            expo.PREFIX: self.expo,
            pusher_beams.PREFIX: self.beams,
            pushpad.PREFIX: self.pushpad,
            web_push.PREFIX: self.web_push,
        }
        return next((found for prefix, found in prefixes.items() if route.startswith(prefix)), None)

    def _own(self, request: Request) -> Reply:
        match request.method, request.route:
            case "GET", "/_clarion/messages" if request.query.get("stream") == "1":
                return Reply(200, (("content-type", "application/x-ndjson"),), self._lines())
            case "GET", "/_clarion/messages":
                return json_reply(200, self.timeline.entries)
            case "POST", "/_clarion/reset":
                self.reset()
                return Reply(204)
        return json_reply(404, {"error": "No emulator answers here; see docs/testing-kit.md for the paths."})

    async def _lines(self) -> AsyncGenerator[bytes, None]:
        async for seen in self.timeline.follow():
            yield msgspec.json.encode(seen) + b"\n"


def _of_fcm(accepted: AcceptedMessage) -> Seen:
    return Seen("fcm", accepted.token, accepted.name, accepted.at, accepted.message)


def _of_webhook(delivery: Delivery) -> Seen:
    return Seen("push-webhook", delivery.targets[0], delivery.id, delivery.at, delivery.body)


class EmulatorThread:
    """Emulators for code without an event loop: `with EmulatorThread(directory) as emulators:`.

    Takes the arguments of `Emulators.running`. Every method may be called from any thread.
    """

    def __init__(self, directory: Path, port: int = 0, **options: Any) -> None:
        self._directory = directory
        self._port = port
        self._options = options
        self._ready: Future[Emulators] = Future()

    def __enter__(self) -> Self:
        self._threads = ThreadPoolExecutor(1, "clarion-emulators")
        self._run = self._threads.submit(lambda: asyncio.run(self._serve()))
        either: list[Future[Any]] = [self._ready, self._run]
        wait(either, return_when=FIRST_COMPLETED)
        if not self._ready.done():
            self._threads.shutdown()
            self._run.result()
        self._emulators = self._ready.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._threads.shutdown()
        self._run.result()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with Emulators.running(self._directory, self._port, **self._options) as emulators:
            self._ready.set_result(emulators)
            await self._stop.wait()

    def ask(self, question: Callable[[Emulators], T]) -> T:
        """The answer to a question about the emulators, put to them in their own thread."""

        async def answer() -> T:
            return question(self._emulators)

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result()

    @property
    def url(self) -> str:
        """The origin all emulators share."""
        return self._emulators.url

    @property
    def webhook_url(self) -> str:
        """Where pushes of a webhook integration go."""
        return self._emulators.webhook_url

    @property
    def ca_file(self) -> Path:
        """What clients must trust, PEM."""
        return self._emulators.ca_file

    def provider_urls(self) -> dict[str, str]:
        """For `CLARION_PROVIDER_URLS`."""
        return self._emulators.provider_urls()

    def service_account(self, project: str | None = None) -> str:
        """A service account document that the FCM emulator accepts."""
        return self.ask(lambda emulators: emulators.fcm.service_account(project))

    def messages(self) -> list[AcceptedMessage]:
        """What FCM accepted so far."""
        return self.ask(lambda emulators: list(emulators.fcm.messages))

    def attempts(self) -> list[Attempt]:
        """Every send request to FCM so far."""
        return self.ask(lambda emulators: list(emulators.fcm.attempts))

    def deliveries(self) -> list[Delivery]:
        """What the webhook receiver took so far."""
        return self.ask(lambda emulators: list(emulators.webhook.deliveries))

    def shown(self, token: str) -> list[Shown]:
        """What stands on a device."""
        return self.ask(lambda emulators: emulators.phones.shown(token))

    def repeats(self, token: str) -> int:
        """How many messages to a device only replaced one that was shown already."""
        return self.ask(lambda emulators: emulators.phones.repeats(token))

    def wait_for_messages(self, count: int, timeout: float = 10.0) -> list[AcceptedMessage]:
        """FCM's accepted messages once there are `count`; `TimeoutError` when that takes too long."""
        waiting = self._emulators.fcm.record.reached(count, timeout)
        return asyncio.run_coroutine_threadsafe(waiting, self._loop).result()

    def reset(self) -> None:
        """Forget what was accepted and tried."""
        self.ask(Emulators.reset)
