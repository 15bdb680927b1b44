"""What providers tell of pushes by themselves: their emulators take the pushes and call back."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from calling import Api, Caller, Json, data, error
from clarion.api.server import MOST_SIGNED
from clarion.model.clock import DAY, HOUR, MINUTE
from clarion.model.http import HttpReply, HttpRequest, Received
from clarion.model.ids import new_id
from clarion.providers.huawei import Huawei
from clarion.providers.onesignal import OneSignal
from clarion.providers.port import Provider
from clarion.providers.pusher_beams import PusherBeams
from clarion.store import engagements
from clarion.testing import huawei, onesignal, pusher_beams
from clarion.testing.exchange import Reply, Request
from clarion.testing.huawei import HuaweiEmulator
from clarion.testing.onesignal import OneSignalEmulator, subscription_id
from clarion.testing.pusher_beams import BeamsEmulator
from pipeline import Worker

ADA, BOB = subscription_id("ada's phone"), subscription_id("bob's phone")
"""Tokens that every provider takes."""
HOOK = "https://8.8.8.8/hooks"
PROVIDERS = ("huawei", "pusher-beams", "one-signal")


class Line:
    """The way to an emulator and to a webhook endpoint. `meanwhile` happens before a push is answered."""

    def __init__(self, emulator: Any) -> None:
        self._emulator = emulator
        self.heard: list[Json] = []
        self.pushes = 0
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def send(
        self, request: HttpRequest, *, timeout: float = 10.0, guarded: bool = False, scope: str = ""
    ) -> HttpReply:
        if request.url == HOOK:
            self.heard.append(msgspec.json.decode(request.body))
            return HttpReply(204)
        path = urlsplit(request.url).path
        reply = await self._emulator.handle(
            Request(request.method, path, dict(request.headers), request.body, 1)
        )
        assert isinstance(reply, Reply)
        assert isinstance(reply.body, bytes)
        self.pushes += "token" not in path
        if self.meanwhile and "token" not in path:
            await self.meanwhile()
        return HttpReply(reply.status, dict(reply.headers), reply.body)


class Scene:
    """An environment with one integration, and a push that went through it to Ada and Bob."""

    def __init__(self, api: Api, provider: Provider[Any], emulator: Any, credentials: Json) -> None:
        self.api = api
        self.dev = api.development
        self.emulator = emulator
        self.credentials = credentials | emulator.callback_credentials()
        self.line = Line(emulator)
        self._provider = provider
        self.path = ""

    async def connect(self, identifier: str = "push", **fields: Any) -> str:
        """An integration of the emulator, and the path of its callbacks."""
        given = {"providerId": self._provider.id, "credentials": self.credentials, **fields}
        made = await self.dev.integration(identifier, **given)
        return f"/v2/inbound-webhooks/delivery-providers/{made['_environmentId']}/{made['_id']}"

    async def set(self, *tokens: str) -> None:
        """Everything up to the trigger."""
        self.path = await self.connect()
        await self.dev.workflow()
        data(await self.dev.post("/v1/webhooks", {"url": HOOK}), 201)
        for number, token in enumerate(tokens):
            await self.register(f"s{number}", token)

    async def register(self, subscriber_id: str, token: str) -> None:
        channel = {"providerId": self._provider.id, "credentials": {"deviceTokens": [token]}}
        await self.dev.subscriber(subscriber_id, channels=[channel])

    async def push(self, *names: str) -> None:
        """A trigger that goes out."""
        data(await self.dev.post("/v1/events/trigger", {"name": "welcome", "to": list(names)}), 201)
        await self.deliver()

    async def deliver(self) -> None:
        """Let everything go out, to the emulator and to the webhook endpoint."""
        services = self.api.services
        worker = Worker(services.database, services.vault, services.clock, self.line, self._provider)
        while lanes := await worker.journal.lanes(""):
            for lane in sorted(lanes):
                for batch in await worker.journal.claim(lane, 100):
                    await worker.work_of(lane)(batch)

    async def call(self, call: Received, path: str = "") -> httpx.Response:
        """What the emulator's provider calls, without a key."""
        return await self.api.caller(None).call(
            "POST", path or self.path, content=call.body, headers=dict(call.headers)
        )

    async def tell(self, kind: str, token: str) -> httpx.Response:
        """A callback about the latest push to a device."""
        return await self.call(self.callback(kind, token))

    def callback(self, kind: str, token: str) -> Received:
        push = next(item for item in reversed(self.emulator.record.entries) if token in _tokens(item))
        return _callback(self.emulator, push, kind, token)

    async def message(self, subscriber_id: str = "s0") -> Json:
        (found,) = (await self.dev.get("/v1/messages", subscriberId=subscriber_id)).json()["data"]
        assert isinstance(found, dict)
        return found

    async def arrived(self, message: Json | None = None) -> bool:
        """Whether a message is known to have come to its device: Ada's only one, or that."""
        message = message or await self.message()
        place = message["_environmentId"], [message["_id"]]
        found = await self.api.services.database.read(engagements.of, *place)
        return "delivered" in found.get(message["_id"], {})

    async def device(self, subscriber_id: str = "s0") -> Json:
        (found,) = data(await self.dev.get(f"/v1/subscribers/{subscriber_id}/devices"))
        assert isinstance(found, dict)
        return found

    async def told(self) -> list[str]:
        """What the webhook endpoint heard since it was last asked."""
        await self.deliver()
        heard, self.line.heard = self.line.heard, []
        return [item["type"] for item in heard]


def _tokens(push: Any) -> tuple[str, ...]:
    tokens: tuple[str, ...] = push.tokens if hasattr(push, "tokens") else (push.token,)
    return tokens


def _callback(emulator: Any, push: Any, kind: str, token: str) -> Received:
    """The provider's call of a kind, in Clarion's words."""
    if isinstance(emulator, HuaweiEmulator):
        one = msgspec.structs.replace(push, tokens=(token,))
        return emulator.receipts(one, {"delivered": 0, "dead": 2, "failed": 6}[kind])
    if isinstance(emulator, OneSignalEmulator):
        kinds = {"delivered": "received", "clicked": "clicked", "failed": "failed", "dead": "unsubscribed"}
        return emulator.event(push, f"message.push.{kinds[kind]}")
    assert isinstance(emulator, BeamsEmulator)
    if kind == "failed":
        return emulator.attempt(push, no_devices=[token])
    return emulator.acknowledged(push, token) if kind == "delivered" else emulator.opened(push, token)


def scene_of(api: Api, provider_id: str, **more: str) -> Scene:
    if provider_id == "huawei":
        hms = HuaweiEmulator(clock=api.services.clock)
        return Scene(api, Huawei(), hms, hms.credentials() | more)
    if provider_id == "pusher-beams":
        beams = BeamsEmulator(clock=api.services.clock)
        return Scene(api, PusherBeams(), beams, beams.credentials() | more)
    one = OneSignalEmulator(clock=api.services.clock)
    return Scene(api, OneSignal(), one, {"applicationId": one.app_id, "apiKey": one.api_key} | more)


@pytest.fixture(params=PROVIDERS)
async def scene(api: Api, request: pytest.FixtureRequest) -> Scene:
    found = scene_of(api, request.param)
    await found.set(ADA, BOB)
    return found


async def test_a_push_is_delivered_and_opened_once_as_its_provider_tells(scene: Scene) -> None:
    await scene.push("s0")
    assert await scene.told() == ["message.sent"]
    scene.api.later(2 * DAY)
    before = (await scene.device())["lastSeenAt"]
    answer = await scene.tell("delivered", ADA)
    assert (answer.status_code, answer.json()["data"]) == (200, [])
    assert await scene.arrived()
    assert await scene.told() == ["message.delivered"]
    assert (await scene.device())["lastSeenAt"] > before
    assert (await scene.tell("delivered", ADA)).status_code == 200
    assert await scene.told() == []
    if isinstance(scene.emulator, HuaweiEmulator):
        return
    kind = "clicked" if isinstance(scene.emulator, OneSignalEmulator) else "opened"
    for _ in range(2):
        assert (await scene.tell(kind, ADA)).status_code == 200
    message = await scene.message()
    assert (message["seen"], message["read"]) == (True, True)
    assert await scene.told() == ["message.seen", "message.read"]


async def test_opened_before_delivered_is_both(api: Api) -> None:
    scene = scene_of(api, "pusher-beams")
    await scene.set(ADA)
    await scene.push("s0")
    await scene.told()
    for kind in ("opened", "delivered"):
        assert (await scene.tell(kind, ADA)).status_code == 200
    assert await scene.told() == ["message.seen", "message.read", "message.delivered"]


async def test_of_pushes_that_shared_a_body_each_is_told_apart(scene: Scene) -> None:
    await scene.push("s0", "s1")
    assert scene.line.pushes == 1
    assert await scene.told() == ["message.sent"] * 2
    assert (await scene.tell("delivered", BOB)).status_code == 200
    ours, theirs = await scene.message("s0"), await scene.message("s1")
    assert (await scene.arrived(ours), await scene.arrived(theirs)) == (False, True)
    assert (await scene.tell("delivered", ADA)).status_code == 200
    assert await scene.arrived(ours)


async def test_only_the_push_that_is_told_of_is_delivered(scene: Scene) -> None:
    for _ in range(3):
        await scene.push("s0")
    messages = (await scene.dev.get("/v1/messages")).json()["data"]
    assert (await scene.tell("delivered", ADA)).status_code == 200
    assert [await scene.arrived(item) for item in messages] == [True, False, False]


@pytest.mark.parametrize("second_version", [False, True])
async def test_the_receipts_of_a_call_are_each_taken(api: Api, second_version: bool) -> None:
    scene = scene_of(api, "huawei")
    await scene.set(ADA, BOB)
    await scene.push("s0", "s1")
    (push,) = scene.emulator.messages
    assert push.tokens == (ADA, BOB)
    answer = await scene.call(scene.emulator.receipts(push, second_version=second_version))
    assert answer.json() == {"code": "0", "message": "success", "data": []}
    assert (await scene.told()).count("message.delivered") == 2


async def test_what_did_not_arrive_fails_once_and_its_device_stays(scene: Scene) -> None:
    await scene.push("s0", "s1")
    await scene.told()
    for _ in range(2):
        assert (await scene.tell("failed", ADA)).status_code == 200
    code = {"huawei": "receipt_6", "pusher-beams": "users_no_devices"}
    found = await scene.message()
    assert found["status"] == "error"
    assert found["errorId"] == code.get(found["providerId"], "message.push.failed")
    assert (await scene.message("s1"))["status"] == "sent"
    assert "retiredAt" not in await scene.device()
    assert await scene.told() == ["message.failed"]


async def test_a_device_that_lost_the_app_is_retired_and_its_message_fails(api: Api) -> None:
    scene = scene_of(api, "huawei")
    await scene.set(ADA, BOB)
    await scene.push("s0", "s1")
    await scene.told()
    assert (await scene.tell("dead", ADA)).status_code == 200
    device = await scene.device()
    assert (device["retiredReason"], (await scene.message())["status"]) == ("receipt_2", "error")
    assert "retiredAt" not in await scene.device("s1")
    assert await scene.told() == ["message.failed", "device.retired"]
    await comes_back_and_stays(scene)


async def test_who_switched_pushes_off_is_retired_and_the_message_that_made_them_arrived(api: Api) -> None:
    scene = scene_of(api, "one-signal")
    await scene.set(ADA)
    await scene.push("s0")
    await scene.told()
    scene.api.later(HOUR)
    assert (await scene.tell("dead", ADA)).status_code == 200
    assert (await scene.device())["retiredReason"] == "message.push.unsubscribed"
    assert (await scene.message())["status"] == "sent"
    assert await scene.told() == ["device.retired"]
    await comes_back_and_stays(scene)


async def test_a_device_whose_message_is_not_known_is_told_of_by_itself(api: Api) -> None:
    scene = scene_of(api, "one-signal")
    await scene.set(ADA)
    await scene.push("s0")
    await scene.told()
    scene.api.later(40 * DAY)
    assert (await scene.tell("dead", ADA)).status_code == 200
    assert (await scene.device())["retiredReason"] == "message.push.unsubscribed"
    assert await scene.told() == ["device.retired"]


async def comes_back_and_stays(scene: Scene) -> None:
    """What was told before a device was registered again says nothing of it."""
    old = scene.callback("dead", ADA)
    scene.api.later(MINUTE)
    await scene.register("s0", ADA)
    assert (await scene.call(old)).status_code == 200
    assert "retiredAt" not in await scene.device()
    assert await scene.told() == []


async def test_of_users_with_their_own_ids_a_lost_device_tells_nothing(api: Api) -> None:
    scene = scene_of(api, "one-signal", apiVersion="externalId")
    await scene.set("ada")
    await scene.push("s0")
    await scene.told()
    for kind in ("dead", "failed"):
        assert (await scene.tell(kind, "ada")).status_code == 200
    assert "retiredAt" not in await scene.device()
    assert (await scene.message())["status"] == "sent"
    assert (await scene.tell("delivered", "ada")).status_code == 200
    assert await scene.told() == ["message.delivered"]


async def test_a_phone_may_be_faster_than_the_database(api: Api) -> None:
    """Huawei is told the message's own id; Beams is asked to tell it again, and does."""
    for provider_id, early in (("huawei", 200), ("pusher-beams", 404)):
        scene = scene_of(api, provider_id)
        scene.path = await scene.connect(f"fast-{provider_id}")
        await scene.dev.workflow(provider_id)
        await scene.register(f"fast-{provider_id}", ADA)
        answers: list[int] = []

        async def meanwhile(scene: Scene = scene, answers: list[int] = answers) -> None:
            answers.append((await scene.tell("delivered", ADA)).status_code)

        scene.line.meanwhile = meanwhile
        to = {"name": provider_id, "to": f"fast-{provider_id}"}
        data(await scene.dev.post("/v1/events/trigger", to), 201)
        await scene.deliver()
        assert answers == [early]
        if early == 404:
            assert (await scene.tell("delivered", ADA)).status_code == 200
        assert await scene.arrived(await scene.message(f"fast-{provider_id}"))


class Forgery(NamedTuple):
    """A call that isn't the provider's: what is made of a good one, and of whose."""

    name: str
    change: Callable[[Received], Received]
    of: tuple[str, ...] = PROVIDERS


def unsigned(call: Received) -> Received:
    return Received({"content-type": "application/json"}, call.body)


def other_body(call: Received) -> Received:
    return Received(call.headers, call.body + b" ")


def other(value: str) -> Callable[[Received], Received]:
    """The signature in another form."""

    def change(call: Received) -> Received:
        names = ("x-huawei-callback-id", "webhook-signature", "authorization")
        (name,) = (name for name in names if name in call.headers)
        return Received({**call.headers, name: value.format(call.headers[name])}, call.body)

    return change


FORGERIES = (
    Forgery("unsigned", unsigned),
    Forgery("of another body", other_body, ("pusher-beams",)),
    Forgery("empty", other("")),
    Forgery("cut", other("{:.30}")),
    Forgery("longer", other("{}0")),
    Forgery("of other letters", other("{}é")),
    Forgery("without a time", other("nonce=1; value=2"), ("huawei",)),
    Forgery("of a time that is none", other("timestamp=²; nonce=1; value=2"), ("huawei",)),
    Forgery("the empty secret", other("Bearer "), ("one-signal",)),
    Forgery("of another scheme", other("Basic {}"), ("one-signal",)),
)


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
async def test_what_its_provider_did_not_sign_is_refused_and_told_nothing(
    scene: Scene, forgery: Forgery
) -> None:
    await scene.push("s0")
    await scene.told()
    good = scene.callback("delivered", ADA)
    if (await scene.message())["providerId"] in forgery.of:
        forged = forgery.change(good)
        headers = {name: value.encode() for name, value in forged.headers.items()}
        caller = scene.api.caller(None)
        refused = error(await caller.call("POST", scene.path, content=forged.body, headers=headers), 401)
        nowhere = f"{scene.path[:-32]}{'0' * 32}"
        unknown = error(await caller.call("POST", nowhere, content=forged.body, headers=headers), 401)
        assert refused["message"] == unknown["message"]
        assert not await scene.arrived()
    assert (await scene.call(good)).status_code == 200


async def test_a_signature_is_good_for_its_integration_alone(scene: Scene) -> None:
    await scene.push("s0")
    good = scene.callback("delivered", ADA)
    strange = scene_of(scene.api, (await scene.message())["providerId"])
    path = await strange.connect("other")
    error(await scene.call(good, path), 401)
    environment, _, integration = scene.path.rpartition("/")
    prod = environment[:-32] + await scene.api.environment_id("prod")
    error(await scene.call(good, f"{prod}/{integration}"), 401)
    stolen = _callback(strange.emulator, scene.emulator.record.entries[-1], "delivered", ADA)
    answer = await scene.call(stolen, path)
    assert answer.status_code == (404 if isinstance(scene.emulator, BeamsEmulator) else 200)
    assert not await scene.arrived()


async def test_without_its_secret_nothing_is_believed(api: Api) -> None:
    for provider_id in PROVIDERS:
        scene = scene_of(api, provider_id)
        credentials = {k: v for k, v in scene.credentials.items() if not k.startswith("callback")}
        scene.path = await scene.connect(f"bare-{provider_id}", credentials=credentials)
        known = await scene.connect(f"known-{provider_id}")
        push = new_id(api.services.clock())
        for secret in ("", "None"):
            if isinstance(scene.emulator, HuaweiEmulator):
                scene.emulator.callback_key = secret
            else:
                scene.emulator.callback_secret = secret
            call = _callback(scene.emulator, _accepted(scene.emulator, push), "delivered", ADA)
            error(await scene.call(call), 401)
            error(await scene.call(call, known), 401)


def _accepted(emulator: Any, identity: str) -> Any:
    """A push that no emulator took."""
    if isinstance(emulator, OneSignalEmulator):
        return onesignal.AcceptedPush(ADA, {}, 0, identity)
    kind = huawei.AcceptedPush if isinstance(emulator, HuaweiEmulator) else pusher_beams.AcceptedPublish
    return kind((ADA,), {}, 0, identity)


async def test_beams_may_sign_with_the_primary_key(api: Api) -> None:
    scene = scene_of(api, "pusher-beams")
    scene.emulator.callback_secret = scene.credentials["secretKey"]
    scene.credentials.pop("callbackSecret")
    await scene.set(ADA)
    await scene.push("s0")
    assert (await scene.tell("delivered", ADA)).status_code == 200


@pytest.mark.parametrize(("off", "status"), [(0, 200), (-14, 200), (14, 200), (-16, 401), (16, 401)])
async def test_a_receipt_is_of_now(api: Api, off: int, status: int) -> None:
    scene = scene_of(api, "huawei")
    await scene.set(ADA)
    await scene.push("s0")
    push = scene.emulator.messages[-1]
    call = scene.emulator.receipts(push, at=api.services.clock() + off * MINUTE)
    assert (await scene.call(call)).status_code == status


async def test_a_push_that_is_not_known_is_told_without_end_to_nobody(scene: Scene) -> None:
    for kind in ("delivered", "failed"):
        push = _accepted(scene.emulator, "unknown")
        answer = await scene.call(_callback(scene.emulator, push, kind, ADA))
        assert answer.status_code == (404 if isinstance(scene.emulator, BeamsEmulator) else 200)
    assert await scene.told() == []


DEEP = (
    b'{"statuses":[],"payload":{},"metadata":{},"kind":"","messageId":"","x":'
    + b"[" * 200
    + b"]" * 200
    + b"}"
)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"no json", 400),
        (b"[]", 422),
        (b"[" * 5000, 422),
        (DEEP, 400),
        (b'{"statuses": 1, "payload": 1, "kind": 1}', 422),
        (b'{"statuses": [{"token": 1}], "payload": {}, "kind": "message.push.clicked"}', 422),
        (b'{"statuses": [' + b",".join([b'{"token":""}'] * 1001) + b"]}", 422),
        (b" " * (MOST_SIGNED + 1), 413),
    ],
)
async def test_what_says_nothing_is_refused(scene: Scene, body: bytes, status: int) -> None:
    error(await scene.call(_signed(scene.emulator, body)), status)


async def test_an_event_of_another_kind_is_of_no_account(scene: Scene) -> None:
    bodies: dict[type, Json] = {
        HuaweiEmulator: {"statuses": [{"token": ADA, "status": 4711}, {"token": ADA}]},
        BeamsEmulator: {"payload": {}, "metadata": {"event_type": "v1.Later"}},
        OneSignalEmulator: {"kind": "message.push.sent", "messageId": "m"},
    }
    body = msgspec.json.encode(bodies[type(scene.emulator)])
    assert (await scene.call(_signed(scene.emulator, body))).status_code == 200


def _signed(emulator: Any, body: bytes) -> Received:
    """A body of our own, signed as the provider signs."""
    good = _callback(emulator, _accepted(emulator, "m"), "delivered", ADA)
    if not isinstance(emulator, BeamsEmulator):
        return Received(good.headers, body)
    mac = hmac.digest(emulator.callback_secret.encode(), body, "sha1").hex()
    return Received({**good.headers, "webhook-signature": mac}, body)


async def test_who_guesses_is_slowed_down(api: Api) -> None:
    scene = scene_of(api, "one-signal")
    scene.path = await scene.connect()
    guess = Received({"authorization": "Bearer guess"}, b"{}")
    statuses = [(await scene.call(guess)).status_code for _ in range(60)]
    assert set(statuses) == {401, 429}


async def test_its_secret_is_sealed_and_shown_to_nobody(api: Api) -> None:
    for provider_id in PROVIDERS:
        scene = scene_of(api, provider_id)
        await scene.connect(f"sealed-{provider_id}")
        secret = scene.credentials["callbackSecret"]
        assert secret not in (await scene.dev.get("/v1/integrations")).text


async def test_a_provider_that_calls_nobody_has_no_such_way_in(dev: Caller, api: Api) -> None:
    made = await dev.integration()
    path = f"/v2/inbound-webhooks/delivery-providers/{made['_environmentId']}/{made['_id']}"
    error(await api.caller(None).post(path, {"eventType": "opened", "eventId": "m"}), 401)
    noted = await api.services.database.read(engagements.of, made["_environmentId"], ["m"])
    assert noted == {}
