"""Every setting with its default and the reason for it.

A setting comes from the environment (`CLARION_PORT`), else from a TOML file (`port`), else from its
default. The file is the one `CLARION_CONFIG` names, else `./clarion.toml` where there is one. An empty
value counts as not given. Paths are relative to the working directory.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from clarion.errors import SettingsError
from clarion.model.locale import DEFAULT, normal

LogLevel = Literal["debug", "info", "warning", "error", "critical"]
LogFormat = Literal["auto", "console", "json"]
Network = IPv4Network | IPv6Network

CONFIG = "CLARION_CONFIG"
_PREFIX = "CLARION_"
_FOR_TESTS = "CLARION_TEST_"
_CONFIG_FILE = Path("clarion.toml")
_DATABASE_FILE = "clarion.db"
_SQLITE = "sqlite:///"
_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?/?", re.IGNORECASE)
_MOST_SHOWN = 60


@dataclass(frozen=True)
class _Rule:
    """What a value must be, what its absence means, and whether an error may not show it."""

    must_be: str
    absent: str = ""
    hidden: bool = False


def _whole(value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    if type(value) is int:  # true and 3000.0 pass for whole numbers elsewhere
        return value
    raise ValueError


def _days_or_ever(seconds: int) -> int:
    if 0 < seconds < 24 * 3600:
        raise ValueError
    return seconds


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _locale(text: str) -> str:
    found = normal(text)
    if found is None:
        raise ValueError
    return found


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", text):
        raise ValueError
    return text


def _visible_ascii(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
        raise ValueError
    return secret


def _public_url(text: str) -> str:
    match = _ORIGIN.fullmatch(text)
    if match is None or not 0 < int(match["port"] or 443) < 65536:
        raise ValueError
    return text.removesuffix("/").lower()


def _database_url(text: str) -> str:
    if not (_is_sqlite(text) or _is_postgresql(text)):
        raise ValueError
    return text


def _is_sqlite(text: str) -> bool:
    path = text.removeprefix(_SQLITE)
    return text.startswith(_SQLITE) and not re.search(r"^$|^:memory:|[?\x00]|/$", path)


def _is_postgresql(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises where a bare "/" or "?" in a password cuts the host short
    except ValueError:
        return False
    clean = not re.search(r"[\s#]", text) and "@" not in parts.path + parts.query
    return parts.scheme == "postgresql" and clean and len(parts.path) > 1


def _http_url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s]*)?", text):
        raise ValueError
    return text


def _nats_urls(text: str) -> str:
    if not re.fullmatch(r"(nats|tls)://[^\s,/]+(,(nats|tls)://[^\s,/]+)*", text):
        raise ValueError
    return text


def _provider_urls(value: object) -> dict[str, str]:
    urls = _json(value) if isinstance(value, str) else value
    if not isinstance(urls, dict) or "" in urls:
        raise ValueError
    return {provider: _origin(provider, url) for provider, url in urls.items()}


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError from None  # without the parser's words: the rule says it better


def _origin(provider: str, url: object) -> str:
    match = _ORIGIN.fullmatch(url) if isinstance(url, str) else None
    if match is None or not 0 < int(match["port"] or 443) < 65536:
        raise ValueError(f"the URL of {provider!r} must be https://host:port (or http) and no more than that")
    return match[0].removesuffix("/").lower()


def _rate_limits(value: object) -> dict[str, int]:
    limits = dict(_rate(entry) for entry in value.split(",") if entry) if isinstance(value, str) else value
    if not isinstance(limits, dict):
        raise ValueError
    for category, rate in limits.items():
        if category not in _CATEGORIES:
            raise ValueError(f"there is no category {category!r}, but: {', '.join(_CATEGORIES)}")
        if isinstance(rate, bool) or not isinstance(rate, int) or not 0 < rate <= _MOST_A_SECOND:
            raise ValueError(f"the limit of {category} must be a whole number from 1 to {_MOST_A_SECOND}")
    return limits


def _rate(entry: str) -> tuple[str, object]:
    category, equals, rate = entry.partition("=")
    return category.strip(), int(rate) if equals and re.fullmatch(r" *[0-9]{1,9} *", rate) else rate


_CATEGORIES = ("trigger", "configuration", "global")
_MOST_A_SECOND = 1_000_000


def _networks(value: object) -> tuple[Network, ...]:
    entries = value.split(",") if isinstance(value, str) else value
    if not isinstance(entries, list | tuple):
        raise ValueError
    return tuple(_network(entry) for entry in entries if entry != "")


def _network(entry: object) -> Network:
    if isinstance(entry, IPv4Network | IPv6Network):
        return entry
    if not isinstance(entry, str):
        raise ValueError
    try:
        return ip_network(entry.strip())
    except ValueError as error:
        raise ValueError(f"{error}; write a network such as 10.0.0.0/8 or fd00::/8") from None


_Secret = Annotated[SecretStr, AfterValidator(_visible_ascii)]
_DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
_DATABASE_FORMS = "sqlite:///relative/path, sqlite:////absolute/path or postgresql://host/database"


class Settings(BaseSettings):
    """What Clarion is told before it starts. Made by `load`; by hand, only what is passed counts."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    _sources: Mapping[str, str] = PrivateAttr(default_factory=dict)

    host: Annotated[str, AfterValidator(_host), _Rule("an address or a host name")] = Field(
        default="127.0.0.1",
        description="Address the API listens on. This machine only, so that nothing is exposed before it is"
        " meant to be; 0.0.0.0 is every address.",
    )
    port: Annotated[int, BeforeValidator(_whole), _Rule("a whole number between 0 and 65535")] = Field(
        default=3000,
        ge=0,
        le=65535,
        description="Port the API listens on; 0 takes any free one. 3000 is where Novu's API listens, so"
        " addresses that clients know keep working.",
    )
    public_url: Annotated[
        Annotated[str, AfterValidator(_public_url)] | None,
        _Rule("an address such as https://clarion.example.com", absent="what the browser calls"),
    ] = Field(
        default=None,
        description="Address that browsers reach Clarion at, through whatever stands in front of it: links in"
        " invitations begin with it, calls of other sites are told by it, and where it is https the session"
        " cookie goes over TLS alone. None takes what each request says.",
    )
    tracking_links: Annotated[bool, BeforeValidator(_truth), _Rule("true or false")] = Field(
        default=False,
        description="Whether the pushes of integrations with activity tracking carry a link, `__clarionTrack`"
        " in their data, by which the app tells what became of them without a key. It begins with"
        " CLARION_PUBLIC_URL, which has to be set. No, since each push is longer by it.",
    )
    session_idle: Annotated[
        int, BeforeValidator(_whole), _Rule("a whole number of seconds between 300 and 31536000 (365 days)")
    ] = Field(
        default=7 * 24 * 3600,
        ge=300,
        le=365 * 24 * 3600,
        description="Seconds without a call after which a member is signed out. A week, so that a weekend"
        " away is not noticed and a forgotten browser is.",
    )
    session_lifetime: Annotated[
        int, BeforeValidator(_whole), _Rule("a whole number of seconds between 300 and 31536000 (365 days)")
    ] = Field(
        default=30 * 24 * 3600,
        ge=300,
        le=365 * 24 * 3600,
        description="Seconds after which a member has to sign in again, however busy they were. 30 days, the"
        " longest that NIST SP 800-63B leaves a session of one factor.",
    )
    data_dir: Annotated[Path, _Rule("the path of a directory")] = Field(
        default=Path("clarion-data"),
        description="Directory of everything Clarion keeps. Below the working directory, so that a first"
        " start needs no rights elsewhere.",
    )
    database_url: Annotated[
        _DatabaseUrl | None, _Rule(_DATABASE_FORMS, absent="sqlite:///<data_dir>/clarion.db", hidden=True)
    ] = Field(
        default=None,
        repr=False,
        description="The database. One file in the data directory is all that one machine needs."
        " PostgreSQL (15 or newer) is for many processes or machines.",
    )
    journal_url: Annotated[
        Annotated[str, AfterValidator(_nats_urls)] | None,
        _Rule("nats://host:port, several with commas", absent="the same database", hidden=True),
    ] = Field(
        default=None,
        repr=False,
        description="The durable queue. The same database, so that there is one thing to run and to back"
        " up; NATS JetStream servers take its load off the database.",
    )
    journal_replicas: Annotated[int, BeforeValidator(_whole), _Rule("a whole number between 1 and 5")] = (
        Field(
            default=1,
            ge=1,
            le=5,
            description="Servers that hold each record of a JetStream journal. 1 is what a single server"
            " can do; 3 survive the loss of one.",
        )
    )
    journal_credentials_file: Annotated[
        Path | None, _Rule("the path of a .creds file", absent="what the address says")
    ] = Field(
        default=None,
        description="Who Clarion is to the NATS servers: a user's JWT and seed as `nsc generate creds` writes"
        " them. None, since an address may name user and password.",
    )
    journal_ca_file: Annotated[Path | None, _Rule("the path of a PEM file", absent="the system's roots")] = (
        Field(
            default=None,
            description="Authorities that sign the certificates of the NATS servers (`tls://` addresses)."
            " None takes the system's.",
        )
    )
    journal_certificate_file: Annotated[
        Path | None, _Rule("the path of a PEM file", absent="no client certificate")
    ] = Field(
        default=None,
        description="Client certificate and its key in one PEM file, for NATS servers that verify clients.",
    )
    api_key: Annotated[
        _Secret | None,
        _Rule("visible ASCII characters without spaces", absent="generated, shown once", hidden=True),
    ] = Field(
        default=None,
        description="Secret key of the Development environment, read at the first start only. A generated"
        " key can't be guessed or shared by two installations.",
    )
    encryption_key: Annotated[
        _Secret | None,
        _Rule("32 random bytes in base64", absent="made in the data directory, mode 0600", hidden=True),
    ] = Field(
        default=None,
        description="Key that seals provider credentials: 32 bytes in base64 (openssl rand -base64 32). Made"
        " at the first start, so that nothing is ever stored unsealed; set it to keep it away from the data.",
    )
    old_encryption_keys: Annotated[
        _Secret | None,
        _Rule("keys in base64, separated by commas", absent="none", hidden=True),
    ] = Field(
        default=None,
        description="Keys that still open what was sealed with them, while `clarion keys rotate-encryption`"
        " seals it anew. None, since a fresh installation has one key.",
    )
    provider_urls: Annotated[
        Mapping[str, str],
        BeforeValidator(_provider_urls),
        _Rule(
            'a JSON object of base URLs by provider id, such as {"fcm": "https://127.0.0.1:8443"}',
            absent="the providers' own",
            hidden=True,
        ),
    ] = Field(
        default={},
        description="Base URLs that replace scheme, host and port of a provider's requests. None, so that"
        " pushes go to the real providers; an emulator or a proxy goes here.",
    )
    ca_file: Annotated[Path | None, _Rule("the path of a PEM file", absent="the system's roots only")] = (
        Field(
            default=None,
            description="PEM file of authorities to trust besides the system's. None, since the providers'"
            " certificates are publicly signed; an emulator's authority goes here.",
        )
    )
    egress_allow: Annotated[
        tuple[Network, ...],
        BeforeValidator(_networks),
        _Rule("networks such as 10.0.0.0/8, separated by commas", absent="public addresses only"),
    ] = Field(
        default=(),
        description="Networks, besides the public internet, that URLs given over the API may lead to. None,"
        " so that nobody who may set a webhook reaches into the network Clarion runs in.",
    )
    retry_window: Annotated[
        int, BeforeValidator(_whole), _Rule("a whole number of seconds between 0 and 2419200 (28 days)")
    ] = Field(
        default=3600,
        ge=0,
        le=28 * 24 * 3600,
        description="Seconds a message is tried after it was accepted; 0 tries once. An hour outlasts most"
        " outages of a provider, and few notifications are still wanted later.",
    )
    idempotency_window: Annotated[
        int, BeforeValidator(_whole), _Rule("a whole number of seconds between 0 and 2592000 (30 days)")
    ] = Field(
        default=24 * 3600,
        ge=0,
        le=30 * 24 * 3600,
        description="Seconds the answer to a POST or PATCH is kept under its `idempotency-key`, so that a"
        " repetition does nothing twice; 0 keeps none. Novu's SDKs send a key with every call, and each takes"
        " about 350 bytes of the database.",
    )
    truncate: Annotated[bool, BeforeValidator(_truth), _Rule("true or false")] = Field(
        default=True,
        description="Whether a body, and then a title, is cut to what its provider takes, between two"
        " characters as people see them. True, since a shortened push is worth more than a refused one.",
    )
    plain_text: Annotated[bool, BeforeValidator(_truth), _Rule("true or false")] = Field(
        default=True,
        description="Whether HTML tags and control characters are taken out of title and body. True, since"
        " phones show them as they are; false is for apps that read markup themselves.",
    )
    rate_limits: Annotated[
        Mapping[str, int],
        BeforeValidator(_rate_limits),
        _Rule("limits such as trigger=100,configuration=20,global=30", absent="none"),
    ] = Field(
        default={},
        description="Calls a second that an environment may make over the API, by category; over it they are"
        " answered 429. None, since the installation is its owner's: set some where environments are"
        " strangers to each other.",
    )
    default_locale: Annotated[str, AfterValidator(_locale), _Rule("a locale such as en_US or de")] = Field(
        default=DEFAULT,
        description="Locale of what is said to people whose own is not known or not translated into. en_US is"
        " the one that Novu's organizations begin with.",
    )
    backlog_limit: Annotated[
        int, BeforeValidator(_whole), _Rule("a whole number between 1 and 100000000")
    ] = Field(
        default=20_000,
        ge=1,
        le=100_000_000,
        description="Records of accepted triggers that may wait in an environment before the API answers 503"
        " instead of accepting more. 20000 is a few seconds of what one API process accepts at most, so a"
        " peak passes and a standstill is told to the callers, who can still keep what is refused.",
    )
    delivery_concurrency: Annotated[
        int, BeforeValidator(_whole), _Rule("a whole number between 1 and 10000")
    ] = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Streams in flight per integration. 100 is about what a provider grants one HTTP/2"
        " connection, and keeps one integration from taking the whole process.",
    )
    webhook_http: Annotated[bool, BeforeValidator(_truth), _Rule("true or false")] = Field(
        default=False,
        description="Whether webhook endpoints may be http:// URLs. No, since what is told there is personal"
        " and anybody on the way could read it; true where the way is a network of your own.",
    )
    webhook_retention: Annotated[
        int, BeforeValidator(_whole), _Rule("a whole number of seconds between 3600 and 31536000 (365 days)")
    ] = Field(
        default=7 * 24 * 3600,
        ge=3600,
        le=365 * 24 * 3600,
        description="Seconds that a delivery to a webhook endpoint is kept, with what was sent and answered,"
        " after it came to its end. A week is enough to see a weekend's failures on Monday and replay them.",
    )
    activity_retention: Annotated[
        int,
        BeforeValidator(_whole),
        _Rule("a whole number of seconds from 86400 (a day) to 315360000 (10 years), or 0 for ever"),
        AfterValidator(_days_or_ever),
    ] = Field(
        default=90 * 24 * 3600,
        le=10 * 365 * 24 * 3600,
        description="Seconds that triggers, notifications and messages are kept, with their outcomes and what"
        " phones reported of them, once they came to their end; 0 keeps them for ever. Of four"
        " weeks or more PostgreSQL keeps up to one longer, to drop it whole. A quarter of a year answers what"
        " people ask, and a database that only grows fills its disk.",
    )
    message_retention: Annotated[
        int,
        BeforeValidator(_whole),
        _Rule("a whole number of seconds from 86400 (a day) to 315360000 (10 years), or 0"),
        AfterValidator(_days_or_ever),
    ] = Field(
        default=0,
        le=10 * 365 * 24 * 3600,
        description="Seconds that titles and bodies of messages are kept, where that is shorter than"
        " CLARION_ACTIVITY_RETENTION: after it a message is gone from the log as if somebody had deleted it,"
        " and its notification still tells what became of it. 0 keeps them as long as that, so that questions"
        " about last month can be answered.",
    )
    detail_retention: Annotated[
        int,
        BeforeValidator(_whole),
        _Rule("a whole number of seconds from 86400 (a day) to 315360000 (10 years), or 0"),
        AfterValidator(_days_or_ever),
    ] = Field(
        default=0,
        le=10 * 365 * 24 * 3600,
        description="Seconds that the details of activity are kept, where that is shorter than"
        " CLARION_ACTIVITY_RETENTION: what was decided step by step, providers' answers and earlier tries."
        " After it outcome, code and explanation are left. 0 keeps them as long as that, since they are what"
        " people ask for first.",
    )
    audit_retention: Annotated[
        int,
        BeforeValidator(_whole),
        _Rule("a whole number of seconds from 86400 (a day) to 315360000 (10 years)"),
    ] = Field(
        default=400 * 24 * 3600,
        ge=24 * 3600,
        le=10 * 365 * 24 * 3600,
        description="Seconds that the audit log is kept. 400 days, so that a year can be looked back on when"
        " it is over.",
    )
    metrics_port: Annotated[
        Annotated[int, BeforeValidator(_whole)] | None,
        _Rule("a whole number between 1 and 65535", absent="none"),
    ] = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port where a process tells its own figures and whether it lives (/metrics, /livez,"
        " /readyz), for those that only deliver and for fleets: of several the second takes the next port,"
        " and so on. None, since a single `clarion serve` tells them on its API.",
    )
    tracing_url: Annotated[
        Annotated[str, AfterValidator(_http_url)] | None,
        _Rule("a URL such as http://collector:4318/v1/traces", absent="no traces"),
    ] = Field(
        default=None,
        description="Where OpenTelemetry traces go, by OTLP over HTTP, from each trigger to the providers'"
        " answers. None, since they cost a little of every send; wants the extra `clarion[tracing]`.",
    )
    tracing_percent: Annotated[int, BeforeValidator(_whole), _Rule("a whole number between 1 and 100")] = (
        Field(
            default=100,
            ge=1,
            le=100,
            description="How many triggers of a hundred are traced. All, which suits a few hundred a second.",
        )
    )
    log_level: Annotated[
        LogLevel, BeforeValidator(_lower), _Rule("debug, info, warning, error or critical")
    ] = Field(
        default="info",
        description="Least severe entry that is logged. info tells what an operator acts on; debug adds every"
        " request to a provider.",
    )
    log_format: Annotated[LogFormat, BeforeValidator(_lower), _Rule("auto, console or json")] = Field(
        default="auto",
        description="Form of the log. auto is readable text on a terminal and JSON lines anywhere else, where"
        " programs read it.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` passes: the library's own sources read the process's environment unasked."""
        return (init_settings,)

    @property
    def postgresql_url(self) -> str | None:
        """The URL of the PostgreSQL database; None when the database is embedded."""
        url = self.database_url
        return url if url is not None and not url.startswith(_SQLITE) else None

    @property
    def database_path(self) -> Path:
        """The file of the embedded database."""
        if self.database_url is None or self.postgresql_url:
            return self.data_dir / _DATABASE_FILE
        return Path(self.database_url.removeprefix(_SQLITE))


class Described(NamedTuple):
    """A setting for a reader: its secrets are masked. `accepts` says what a value must be."""

    name: str
    value_for_eyes: str
    default: str
    reason: str
    source: str
    accepts: str


class _Given(NamedTuple):
    """A value before it is checked, with the place an error names."""

    value: Any
    place: str
    source: str


def load(environ: Mapping[str, str], config: Path | None = None) -> Settings:
    """The settings of `environ` over those of the file; `SettingsError` says in one line what is wrong."""
    given = {**_from_file(_config_file(environ, config)), **_from_environment(environ)}
    try:
        settings = Settings(**{field: one.value for field, one in given.items()})
    except ValidationError as error:
        raise SettingsError(_complaint(error, given)) from None
    settings._sources = {field: one.source for field, one in given.items()}
    return settings


def described(settings: Settings) -> list[Described]:
    """Every setting in the order it is declared, with secrets masked."""
    return [_described(settings, field, info) for field, info in Settings.model_fields.items()]


def _described(settings: Settings, field: str, info: FieldInfo) -> Described:
    rule = _rule(field)
    return Described(
        name=_variable(field),
        value_for_eyes=_for_eyes(getattr(settings, field), rule),
        default=_for_eyes(info.default, rule),
        reason=info.description or "",
        source=_source(settings, field),
        accepts=rule.must_be,
    )


def _source(settings: Settings, field: str) -> str:
    passed = "program" if field in settings.model_fields_set else "default"
    return settings._sources.get(field, passed)


def _for_eyes(value: object, rule: _Rule) -> str:
    if value is None or value == () or value == {}:
        return rule.absent
    if isinstance(value, SecretStr):
        return "(set, not shown)"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool | dict):
        return json.dumps(value)
    return _masked_url(str(value)) if rule.hidden else str(value)


def _masked_url(url: str) -> str:
    """Without user info and the values of the query, where PostgreSQL takes a password too."""
    if url.startswith(("nats:", "tls:")):
        return re.sub(r"//[^@,/]*@", "//…@", url)
    parts = urlsplit(url)
    if parts.scheme != "postgresql":
        return url
    user, at, host = parts.netloc.rpartition("@")
    query = re.sub(r"=[^&]*", "=…", parts.query)
    return parts._replace(netloc=("…" if user else "") + at + host, query=query).geturl()


def _config_file(environ: Mapping[str, str], config: Path | None) -> Path | None:
    if config is not None:
        return config
    if environ.get(CONFIG):
        return Path(environ[CONFIG])
    return _CONFIG_FILE if _CONFIG_FILE.exists() else None


def _from_file(path: Path | None) -> dict[str, _Given]:
    if path is None:
        return {}
    values = _toml(path)
    _refuse_unknown(values, Settings.model_fields, f" in {path}")
    return {key: _Given(value, f"{key} in {path}", str(path)) for key, value in values.items() if value != ""}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}; see {CONFIG}") from None
    except ValueError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Given]:
    fields = {_variable(field): field for field in Settings.model_fields}
    ours = {
        name: value
        for name, value in environ.items()
        if name.startswith(_PREFIX) and not name.startswith(_FOR_TESTS) and name != CONFIG
    }
    _refuse_unknown(ours, fields, "")
    return {fields[name]: _Given(value, name, "environment") for name, value in ours.items() if value != ""}


def _refuse_unknown(names: Iterable[str], known: Iterable[str], where: str) -> None:
    by_tail = {_tail(name): name for name in known}
    for name in names:
        if name not in by_tail.values():
            near = get_close_matches(_tail(name), by_tail, n=1)
            listed = "`clarion settings --markdown` lists what there is"
            hint = f"did you mean {by_tail[near[0]]}?" if near else listed
            raise SettingsError(f"{name}{where} is not a setting; {hint}")


def _tail(name: str) -> str:
    """Without the prefix, which would make every name resemble every other."""
    return name.removeprefix(_PREFIX).lower()


def _complaint(error: ValidationError, given: Mapping[str, _Given]) -> str:
    """The first fault as one line, without the value where that may be a secret."""
    fault = error.errors()[0]
    field = str(fault["loc"][0])
    rule = _rule(field)
    cause = str(fault.get("ctx", {}).get("error", "")) or f"must be {rule.must_be}"
    shown = "" if rule.hidden else f" is {_shortened(given[field].value)}"
    return f"{given[field].place}{shown}: {cause}"


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"


def _variable(field: str) -> str:
    return _PREFIX + field.upper()


def _rule(field: str) -> _Rule:
    return next(item for item in Settings.model_fields[field].metadata if isinstance(item, _Rule))
