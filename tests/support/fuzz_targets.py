"""What reads bytes of others, each as a function of bytes: it may refuse them in its own words, and nothing
else may come out. `seeds` are examples that it takes, for mutation to begin with."""

import asyncio
import base64
import io
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from clarion.accept.gate import Call
from clarion.api.bodies import decode_body
from clarion.api.events import TriggerIn, asked
from clarion.api.forms import decode_form
from clarion.api.pages import CursorQuery, cursor_page
from clarion.api.table import ROUTES
from clarion.api.translation_imports import FilesIn, MasterFileIn, _stem, contents
from clarion.api.translations import checked_content, checked_locale
from clarion.check.schema import check_schema, validator_of
from clarion.check.timing import NoTime, next_cron, send_time
from clarion.cli.import_csv import _lines, _together
from clarion.compose import conditions, templates
from clarion.errors import (
    CredentialsInvalid,
    EgressRefused,
    PayloadInvalid,
    RequestError,
    SettingsError,
    TemplateError,
    TransportError,
)
from clarion.journal.summary import accepted_at
from clarion.model.clock import Millis
from clarion.model.http import HttpReply, Received
from clarion.model.locale import normal
from clarion.model.outcome import Verdict
from clarion.model.push import Delivery, PushMessage, Receipts, Target
from clarion.model.trigger import Trigger
from clarion.model.webhook import Dispatch, Event, url_fault
from clarion.net.egress import EgressRule
from clarion.providers.port import (
    AuthorizingProvider,
    BatchingProvider,
    CallbackProvider,
    ReceiptProvider,
)
from clarion.providers.registry import PROVIDERS
from clarion.providers.web_push import subscription
from clarion.security import links
from clarion.security.vault import Vault

NOW: Millis = 1_796_000_000_000
MESSAGE = PushMessage("Title", "Body", {"text": "value"}, subscriber={"subscriberId": "ada"})
DEVICES = [(MESSAGE, Target("0" * 32, "one")), (MESSAGE, Target("1" * 32, "two"))]


class FuzzTarget(NamedTuple):
    """One parser. `read` raises for what is a fault of Clarion's."""

    read: Callable[[bytes], None]
    seeds: list[bytes]


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _halves(raw: bytes) -> tuple[bytes, bytes]:
    """What is before the first NUL, and what is behind it."""
    first, _, rest = raw.partition(b"\0")
    return first, rest


_BODIES = [route.body for route in ROUTES if route.body is not None]


def read_trigger(raw: bytes) -> None:
    """The body of the hot path, up to what the accept stage takes."""
    with suppress(RequestError):
        call = asked(decode_body(raw, TriggerIn, payload_errors=True), NOW)
        assert isinstance(call, Call)
        msgspec.msgpack.decode(msgspec.msgpack.encode(call.payload))


def read_body(raw: bytes) -> None:
    """The body of any other route, which the first byte chooses; what was read can be written again."""
    if raw:
        with suppress(RequestError):
            msgspec.json.encode(decode_body(raw[1:], _BODIES[raw[0] % len(_BODIES)]))


def read_credentials(raw: bytes) -> None:
    """Credentials of the provider that stands before the first NUL, as JSON."""
    name, document = _halves(raw)
    provider = PROVIDERS.get(_text(name))
    stored = _json(document)
    if provider is None or not isinstance(stored, dict):
        return
    with suppress(CredentialsInvalid):
        credentials = provider.credentials(provider.completed(stored))
        if isinstance(provider, AuthorizingProvider):
            provider.authorize(credentials, NOW)


def read_key_file(raw: bytes) -> None:
    """A certificate or key file, put where credentials have one."""
    packed = base64.b64encode(raw).decode()
    apns = {"applicationId": "com.example.app", "certificatePassword": "secret"}
    account = {
        "type": "service_account",
        "project_id": "p",
        "client_email": "e",
        "token_uri": "https://x.test",
    }
    wanted: list[tuple[str, dict[str, Any]]] = [
        ("apns", {**apns, "certificate": packed}),
        ("apns", {**apns, "keyId": "A" * 10, "teamId": "B" * 10, "secretKey": _text(raw)}),
        ("fcm", {"serviceAccount": msgspec.json.encode({**account, "private_key": _text(raw)}).decode()}),
        ("web-push", {"publicKey": packed, "secretKey": packed, "subject": "mailto:a@b.example"}),
        ("web-push", {"publicKey": packed, "secretKey": _text(raw), "subject": "mailto:a@b.example"}),
    ]
    for name, stored in wanted:
        with suppress(CredentialsInvalid):
            PROVIDERS[name].credentials(stored)


def read_template(raw: bytes) -> None:
    """A template, checked, looked into and rendered."""
    source = _text(raw)
    templates.paths(source)
    templates.filters(source)
    templates.mentions(source, "payload")
    variables = {"payload": {"n": 3, "name": "Ada", "items": [1, "2", None, {"x": 1.5}]}, "subscriber": {}}
    with suppress(TemplateError):
        templates.check(source)
    with suppress(TemplateError):
        templates.render(source, variables)


def read_condition(raw: bytes) -> None:
    """A condition, checked as when it is saved, and held against values."""
    rule = _json(raw)
    try:
        conditions.check(rule)
    except TemplateError:
        return
    assert isinstance(rule, dict)
    condition = conditions.Condition(rule)
    condition.names()
    condition.mentions("payload")
    condition.held({"payload": {"n": 3, "name": "Ada", "items": [1, "2", None]}, "subscriber": {}})


def read_answer(raw: bytes) -> None:
    """An answer of every provider: a status, a line of a header's value, and a body."""
    head, body = _halves(raw[2:])
    status = int.from_bytes(raw[:2]) % 600
    told = {"retry-after": head.decode("latin-1"), "apns-id": "x", "location": head.decode("latin-1")}
    reply = HttpReply(status, told, body)
    for provider in PROVIDERS.values():
        if not provider.supported:
            continue
        assert isinstance(provider.read(reply, MESSAGE), Verdict)
        if isinstance(provider, BatchingProvider):
            assert len(provider.read_many(reply, DEVICES)) == len(DEVICES)
        if isinstance(provider, ReceiptProvider):
            provider.read_receipts(reply, {"ticket": NOW})
        if isinstance(provider, AuthorizingProvider):
            provider.read_authorization(reply, NOW)


def read_callback(raw: bytes) -> None:
    """A call of a provider: the header that proves it, up to the first NUL, and a body. Nobody forges one."""
    head, body = _halves(raw)
    header = head.decode("latin-1")
    names = ("x-huawei-callback-id", "webhook-signature", "authorization")
    call = Received(dict.fromkeys(names, header), body)
    for name, credentials in _CALLING.items():
        provider = PROVIDERS[name]
        assert isinstance(provider, CallbackProvider)
        assert not provider.signed(credentials, call, NOW)
        with suppress(RequestError):
            provider.told(credentials, decode_body(body, provider.callback_body))


_CALLING = {
    name: PROVIDERS[name].credentials({**stored, "callbackSecret": "of nobody else"})
    for name, stored in {
        "huawei": {"applicationId": "1", "secretKey": "s", "callbackUser": "u"},
        "pusher-beams": {"instanceId": "1b880590-6301-4bb5-b34f-45db1c5f5644", "secretKey": "s"},
        "one-signal": {"applicationId": "1b880590-6301-4bb5-b34f-45db1c5f5644", "apiKey": "k"},
    }.items()
}


def read_subscription(raw: bytes) -> None:
    """A browser's subscription, up to the request to its endpoint."""
    web_push = PROVIDERS["web-push"]
    target = Target("0" * 32, _text(raw), NOW)
    try:
        subscription(target.token)
    except ValueError:
        return
    web_push.build(_WEB_PUSH, MESSAGE, target, "")


_WEB_PUSH = PROVIDERS["web-push"].credentials(
    PROVIDERS["web-push"].completed({"subject": "mailto:push@example.com"})
)


def read_url(raw: bytes) -> None:
    """The URL of an endpoint. What is taken names a host, and one that is an address is judged."""
    url = _text(raw)
    if url_fault(url):
        return
    parts = urlsplit(url)
    assert parts.hostname
    if parts.hostname.replace(".", "").isdecimal() or ":" in parts.hostname:
        with suppress(EgressRefused, TransportError):
            found = _RUNNER.run(EgressRule().resolve(parts.hostname, parts.port or 443, guarded=True))
            assert all(address.is_global for address in found)


_RUNNER = asyncio.Runner()


def read_csv(raw: bytes) -> None:
    """A file of device tokens."""
    try:
        text = io.TextIOWrapper(io.BytesIO(raw), newline="", encoding="utf-8-sig")
        for lines in _together(_lines(text, "fcm", "fcm")):
            assert len({line["subscriberId"] for _, line in lines}) == len(lines)
            msgspec.json.encode([line for _, line in lines])
    except SettingsError:
        pass


_RECORDS: tuple[type[Any], ...] = (Trigger, Delivery, Receipts, Dispatch)


def read_record(raw: bytes) -> None:
    """A record of the journal, as each stage and the summary read it."""
    accepted_at(raw)
    for kind in _RECORDS:
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            msgspec.msgpack.encode(msgspec.msgpack.decode(raw, type=kind))


def read_cursor(raw: bytes) -> None:
    """A cursor of a list that is empty."""
    query = CursorQuery(after=_text(raw))
    for width in (1, 2):
        with suppress(RequestError):
            cursor_page(lambda *_: [], lambda _: None, lambda _: (), query, width=width)


def read_link(raw: bytes) -> None:
    """The token of a tracking link: nobody makes one up."""
    found = links.read(_VAULT, _text(raw))
    assert found is None or raw in LINKS


_VAULT = Vault(bytes(32))
LINKS = [
    links.Links(_VAULT, "").to(links.Pushed(*(c * 32 for c in word))).removeprefix(links.PATH).encode()
    for word in ("abc", "123")
]


def read_moment(raw: bytes) -> None:
    """A cron expression, or the time of a `sendAt`, in a zone that stands before the first NUL."""
    zone, text = map(_text, _halves(raw))
    with suppress(NoTime):
        assert next_cron(text, zone, NOW) > NOW
    with suppress(NoTime):
        send_time(text, zone, NOW)


def read_translations(raw: bytes) -> None:
    """Uploads of translations, as a form, and what the files hold."""
    kind, body = _halves(raw)
    with suppress(RequestError):
        form = decode_form(body, kind.decode("latin-1"), FilesIn)
        for file in form.files:
            _read_translation(_stem(file), file.content)
    with suppress(RequestError):
        master = decode_form(body, kind.decode("latin-1"), MasterFileIn)
        _read_translation(_stem(master.file), master.file.content)


def _read_translation(name: str, content: bytes) -> None:
    checked_locale(name, "files")
    found = decode_body(content, dict[str, Any])
    for _, _, texts in contents(found, "content"):
        checked_content(texts)
    checked_content(found)


def read_locale(raw: bytes) -> None:
    """A locale: what is normal stays as it is."""
    found = normal(_text(raw))
    assert found is None or normal(found) == found


def read_schema(raw: bytes) -> None:
    """A payload schema before the first NUL, and a payload."""
    schema, payload = map(_json, _halves(raw))
    if not isinstance(schema, dict) or not isinstance(payload, dict):
        return
    try:
        check_schema(schema)
    except RequestError:
        return
    validator = validator_of(schema)
    with suppress(PayloadInvalid):
        validator.issues(validator.with_defaults(payload))


def _json(raw: bytes) -> Any:
    """As bodies of the API come: nothing else gets that far."""
    with suppress(RequestError):
        return decode_body(raw, Any)
    return None


def _form(name: str, file: bytes) -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="de.json"\r\n\r\n'.encode()
    locale = b'--b\r\nContent-Disposition: form-data; name="locale"\r\n\r\nde\r\n' if name == "file" else b""
    resource = b'--b\r\nContent-Disposition: form-data; name="resourceId"\r\n\r\nwelcome\r\n'
    kind = b'--b\r\nContent-Disposition: form-data; name="resourceType"\r\n\r\nworkflow\r\n'
    return b"multipart/form-data; boundary=b\0" + locale + resource + kind + head + file + b"\r\n--b--\r\n"


def _replies(*bodies: tuple[int, str, Any]) -> list[bytes]:
    return [
        status.to_bytes(2) + head.encode() + b"\0" + msgspec.json.encode(body)
        for status, head, body in bodies
    ]


def _sample_keys() -> Iterable[bytes]:
    """Key files as Apple and Google give them, made on the spot."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    yield from (pem, key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    yield key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    yield key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    other = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    yield other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example")])
    since = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = x509.CertificateBuilder(
        named, named, key.public_key(), 1, since, since + timedelta(days=1)
    ).sign(key, hashes.SHA256())
    yield pkcs12.serialize_key_and_certificates(
        b"n", key, certificate, None, BestAvailableEncryption(b"secret")
    )
    yield pkcs12.serialize_key_and_certificates(b"n", key, certificate, None, NoEncryption())


_PEM = next(iter(_sample_keys())).decode()
_TRIGGER = Trigger("a" * 32, "e" * 32, "txn_1", "w" * 32, NOW, payload={"text": "Hello"})
_SUBSCRIPTION = {
    "endpoint": "https://push.example.net/wpush/v2/abc?x=1",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}

TARGETS: dict[str, FuzzTarget] = {
    "trigger": FuzzTarget(
        read_trigger,
        [
            b'{"name": "news", "to": "ada", "payload": {"text": "Hi \\u0000"}, "transactionId": "t-1"}',
            b'{"name": "news", "to": [{"subscriberId": "ada", "firstName": "Ada", "locale": "de"},'
            b' {"type": "Topic", "topicKey": "all", "exclude": ["bob"]}], "overrides": {"push": {"sendAt":'
            b' "09:00"}, "providers": {"fcm": {"_passthrough": {"body": {}}}}}, "dryRun": true}',
        ],
    ),
    "callback": FuzzTarget(
        read_callback,
        [
            b"timestamp=1796000000000; nonce=1; value=AAAA\0"
            b'{"statuses": [{"token": "t", "biTag": "group-'
            + b"0"
            * 32
            + b'", "status": 2, "requestId": "r"},'
            b' {"token": "t", "pushType": 0, "deliveryStatus": {"result": 0, "timestamp": 1}}]}',
            b'e751728d\0{"payload": {"publish_id": "p", "user_id": "u", "users_no_devices": ["u"]},'
            b' "metadata": {"event_type": "v1.PublishToUsersAttempt"}}',
            b'Bearer secret\0{"kind": "message.push.clicked", "messageId": "m", "subscriptionId": "s",'
            b' "externalId": "", "timestamp": "1796000000"}',
        ],
    ),
    "body": FuzzTarget(
        read_body,
        [
            bytes([number])
            + b'{"name": "News", "workflowId": "news", "active": true, "url": "https://x.test/", "steps":'
            b' [{"name": "Push", "type": "push", "controlValues": {"subject": "Hello"}}],'
            b' "subscriberId": "ada", "providerId": "fcm", "credentials": {"deviceTokens": ["t"]},'
            b' "key": "all", "to": "x"}'
            for number in range(0, len(_BODIES), 4)
        ],
    ),
    "credentials": FuzzTarget(
        read_credentials,
        [
            b'fcm\0{"serviceAccount": "{\\"type\\": \\"service_account\\"}"}',
            b"apns\0"
            + msgspec.json.encode(
                {
                    "secretKey": _PEM,
                    "apiKey": "ABCDEFGHIJ",
                    "projectName": "ABCDEFGHIJ",
                    "applicationId": "com.example.app",
                    "secure": "true",
                }
            ),
            b'apns\0{"certificate": "MIIB", "certificatePassword": "secret", "applicationId": "com.example"}',
            b'push-webhook\0{"webhookUrl": "https://x.test/", "secretKey": "s"}',
            b'web-push\0{"subject": "mailto:a@b.example", "publicKey": "BA", "secretKey": "AQ"}',
            b'expo\0{"apiKey": "key"}',
            b'one-signal\0{"apiKey": "key", "applicationId": "id"}',
            b'pusher-beams\0{"instanceId": "i", "secretKey": "s"}',
            b'pushpad\0{"apiKey": "k", "applicationId": "1"}',
            b'huawei-push\0{"applicationId": "1", "secretKey": "s"}',
        ],
    ),
    "key-file": FuzzTarget(read_key_file, list(_sample_keys())),
    "template": FuzzTarget(
        read_template,
        [
            b"{{ subscriber.firstName | default: 'you' | upcase }}: {{ payload.n | plus: 1 | times: 2.5 }}",
            b"{% for i in payload.items limit: 2 %}{{ i | date: '%Y' }}{% else %}none{% endfor %}",
            b"{% if payload.n > 2 and payload.name contains 'A' %}x{% elsif x %}y{% endif %}{% comment %}",
            b"{% assign a = payload.items | map: 'x' | join: ',' %}{{ a | truncate: 5 }}",
            b"{% raw %}{{{% endraw %}",
            b"{{ payload['items'][0] }}{% case payload.n %}{% when 3 %}three{% endcase %}",
            b"{{ 'a' | split: '' | first | append: payload.name | slice: -2, 1 }}",
        ],
    ),
    "condition": FuzzTarget(
        read_condition,
        [
            b'{"==": [{"var": "payload.name"}, "Ada"]}',
            b'{"and": [{">": [{"var": "payload.n"}, 2]}, {"contains": ["{{payload.name}}", "d"]}]}',
            b'{"or": [{"between": [{"var": "payload.n"}, [1, 5]]}, {"!": [{"in": [1, {"var": "x"}]}]}]}',
            b'{"some": [{"var": "payload.items"}, {"==": [{"var": ""}, 1]}]}',
        ],
    ),
    "answer": FuzzTarget(
        read_answer,
        _replies(
            (410, "", {"reason": "Unregistered", "timestamp": NOW}),
            (
                404,
                "5",
                {"error": {"code": 404, "status": "NOT_FOUND", "details": [{"errorCode": "UNREGISTERED"}]}},
            ),
            (200, "", {"name": "projects/p/messages/1"}),
            (200, "", {"data": [{"status": "error", "details": {"error": "DeviceNotRegistered"}}] * 2}),
            (200, "", {"data": {"ticket": {"status": "error", "message": "x", "details": {"error": "E"}}}}),
            (200, "", {"id": "x", "errors": {"invalid_player_ids": ["one"]}, "recipients": 0}),
            (400, "", {"errno": 101, "code": 400, "error": "words"}),
            (200, "", {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}),
            (200, "", {"code": "80100000", "msg": '{"success":1,"failure":1,"illegal_tokens":["two"]}'}),
            (400, "", {"error": "invalid_grant", "error_description": "x", "sub_error": 20001}),
            (201, "", {"publishId": "pubid-1", "id": 5, "scheduled": 2}),
        ),
    ),
    "subscription": FuzzTarget(read_subscription, [msgspec.json.encode(_SUBSCRIPTION)]),
    "url": FuzzTarget(
        read_url,
        [
            b"https://api.shop.example/hooks?x=1",
            b"https://8.8.8.8:8443/",
            b"https://[2606:4700::1111]/",
            b"https://[::ffff:169.254.169.254]/",
            b"http://127.0.0.1/",
            b"https://0x7f.1/",
        ],
    ),
    "csv": FuzzTarget(
        read_csv,
        [
            b'subscriberId,token,email\nada,t1,ada@example.com\nada,t2,\n"bo""b","a\nb",\n',
            b"\xef\xbb\xbftoken,subscriberId\r\nt1,ada\r\n",
        ],
    ),
    "record": FuzzTarget(
        read_record,
        [
            msgspec.msgpack.encode(_TRIGGER),
            msgspec.msgpack.encode(Delivery("e" * 32, "i" * 32, NOW, [MESSAGE], [])),
            msgspec.msgpack.encode(
                Dispatch("e" * 32, "w" * 32, [Event("evt_1", "message.sent", NOW)], ["x"])
            ),
        ],
    ),
    "cursor": FuzzTarget(read_cursor, [b"0" * 32, b"0" * 32 + b".12", b"a" * 32 + b".1.2"]),
    "link": FuzzTarget(read_link, LINKS),
    "moment": FuzzTarget(
        read_moment,
        [
            b"Europe/Berlin\x000 9 * * 1-5",
            b"\x00*/5 0 9 L * MON#2",
            b"America/New_York\x002027-01-31T09:00:00+02:00",
            b"Asia/Kathmandu\x0009:00",
            b"\x000 0 29 2 *",
        ],
    ),
    "translations": FuzzTarget(
        read_translations,
        [
            _form("files", b'{"title": "Hallo {{payload.name}}", "n": {"one": "1", "other": "{{count}}"}}'),
            _form("file", b'{"workflows": {"welcome": {"title": "Hallo"}}, "layouts": {}}'),
        ],
    ),
    "locale": FuzzTarget(read_locale, [b"de", b"en_US", b"zh-Hant-TW", b"sr_Latn_RS"]),
    "schema": FuzzTarget(
        read_schema,
        [
            b'{"type": "object", "properties": {"n": {"type": "integer", "default": 3}, "s": {"pattern":'
            b' "^a+$"}}, "required": ["n"]}\0{"n": "x", "s": "aa"}',
            b'{"$defs": {"x": {"enum": [1]}}, "properties": {"y": {"$ref": "#/$defs/x"}}}\0{"y": 2}',
        ],
    ),
}
