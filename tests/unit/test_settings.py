from ipaddress import ip_network
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from clarion.cli.settings import command
from clarion.errors import SettingsError
from clarion.settings import Described, Settings, described, load

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without a clarion.toml."""
    monkeypatch.chdir(tmp_path)


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "other.toml"
    path.write_text(text)
    return path


def complaint(environ: dict[str, str], file: Path | None = None) -> str:
    with pytest.raises(SettingsError) as refused:
        load(environ, file)
    text = str(refused.value)
    assert "\n" not in text
    return text


def one(settings: Settings, name: str) -> Described:
    return next(row for row in described(settings) if row.name == name)


def test_nothing_given_is_every_default() -> None:
    settings = load({})
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 3000, Path("clarion-data"))
    assert settings.database_path == Path("clarion-data/clarion.db")
    assert (settings.retry_window, settings.delivery_concurrency) == (3600, 100)
    assert (settings.log_level, settings.log_format) == ("info", "auto")
    assert settings.provider_urls == {}
    assert settings.egress_allow == ()
    assert {
        settings.database_url,
        settings.journal_url,
        settings.api_key,
        settings.encryption_key,
        settings.ca_file,
    } == {None}


def test_a_variable_of_the_process_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLARION_PORT", "4000")
    monkeypatch.setenv("PORT", "4000")
    assert load({}).port == 3000


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    file = config(tmp_path, 'port = 4000\nhost = "::1"\n')
    settings = load({"CLARION_PORT": "5000"}, file)
    assert (settings.port, settings.host, settings.retry_window) == (5000, "::1", 3600)
    assert one(settings, "CLARION_PORT").source == "environment"
    assert one(settings, "CLARION_HOST").source == str(file)
    assert one(settings, "CLARION_RETRY_WINDOW").source == "default"


def test_the_file_is_found_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "clarion.toml").write_text("port = 4000")
    assert load({}).port == 4000


def test_the_file_that_clarion_config_names_goes_before_the_usual_one(tmp_path: Path) -> None:
    (tmp_path / "clarion.toml").write_text("port = 4000")
    file = config(tmp_path, "port = 5000")
    assert load({"CLARION_CONFIG": str(file)}).port == 5000


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    assert "no.toml can't be read: No such file" in complaint({"CLARION_CONFIG": "no.toml"})


def test_an_empty_value_counts_as_not_given(tmp_path: Path) -> None:
    file = config(tmp_path, 'port = 4000\napi_key = ""')
    settings = load({"CLARION_PORT": "", "CLARION_CA_FILE": ""}, file)
    assert (settings.port, settings.api_key, settings.ca_file) == (4000, None, None)


def test_every_kind_of_value_is_read_from_the_environment() -> None:
    settings = load(
        {
            "CLARION_PROVIDER_URLS": '{"fcm": "https://LOCALHOST:8443/", "apns": "http://[::1]:80"}',
            "CLARION_EGRESS_ALLOW": "10.0.0.0/8, fd00::/8,192.168.1.7",
            "CLARION_LOG_LEVEL": "DEBUG",
            "CLARION_API_KEY": "key",
            "CLARION_CA_FILE": "ca.pem",
        }
    )
    assert settings.provider_urls == {"fcm": "https://localhost:8443", "apns": "http://[::1]:80"}
    assert settings.egress_allow == tuple(map(ip_network, ("10.0.0.0/8", "fd00::/8", "192.168.1.7/32")))
    assert settings.log_level == "debug"
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "key"
    assert settings.ca_file == Path("ca.pem")


@pytest.mark.parametrize(("word", "worth"), [("true", True), ("False", False)])
def test_a_switch_is_true_or_false(word: str, worth: bool) -> None:
    settings = load({"CLARION_TRUNCATE": word, "CLARION_PLAIN_TEXT": word})
    assert (settings.truncate, settings.plain_text) == (worth, worth)


def test_tables_and_lists_are_read_from_the_file(tmp_path: Path) -> None:
    file = config(tmp_path, 'egress_allow = ["10.0.0.0/8"]\n[provider_urls]\nfcm = "https://fcm.test"\n')
    settings = load({}, file)
    assert settings.provider_urls == {"fcm": "https://fcm.test"}
    assert settings.egress_allow == (ip_network("10.0.0.0/8"),)


def test_a_wrong_port_is_told_in_one_line() -> None:
    expected = "CLARION_PORT is 'abc': must be a whole number between 0 and 65535"
    assert complaint({"CLARION_PORT": "abc"}) == expected


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("CLARION_PORT", "65536", "is '65536': must be a whole number between 0 and 65535"),
        ("CLARION_PORT", "-1", "must be a whole number"),
        ("CLARION_PORT", "3_000", "must be a whole number"),
        ("CLARION_HOST", "http://here", "must be an address or a host name"),
        ("CLARION_RETRY_WINDOW", "1.5", "whole number of seconds"),
        ("CLARION_RETRY_WINDOW", "2419201", "whole number of seconds"),
        ("CLARION_TRUNCATE", "perhaps", "must be true or false"),
        ("CLARION_PLAIN_TEXT", "1", "must be true or false"),
        ("CLARION_DELIVERY_CONCURRENCY", "0", "between 1 and 10000"),
        ("CLARION_SESSION_IDLE", "299", "seconds between 300 and 31536000 (365 days)"),
        ("CLARION_SESSION_IDLE", "31536001", "seconds between 300 and 31536000 (365 days)"),
        ("CLARION_ACTIVITY_RETENTION", "86399", "from 86400 (a day) to 315360000 (10 years), or 0 for ever"),
        ("CLARION_MESSAGE_RETENTION", "315360001", "from 86400 (a day) to 315360000 (10 years), or 0"),
        ("CLARION_METRICS_PORT", "0", "between 1 and 65535"),
        ("CLARION_LOG_LEVEL", "loud", "must be debug, info, warning, error or critical"),
        ("CLARION_LOG_FORMAT", "xml", "must be auto, console or json"),
        ("CLARION_EGRESS_ALLOW", "10.0.0.1/8", "10.0.0.1/8 has host bits set"),
        ("CLARION_EGRESS_ALLOW", "internal", "write a network such as"),
        ("CLARION_API_KEY", "two words", "visible ASCII characters without spaces"),
        ("CLARION_DATABASE_URL", "mysql://host/db", "must be sqlite:///relative/path"),
        ("CLARION_DATABASE_URL", "sqlite://", "must be sqlite:///relative/path"),
        ("CLARION_DATABASE_URL", "sqlite:///", "must be sqlite:///relative/path"),
        ("CLARION_DATABASE_URL", "sqlite:///:memory:", "must be sqlite:///relative/path"),
        ("CLARION_DATABASE_URL", "sqlite:///a.db?mode=ro", "must be sqlite:///relative/path"),
        ("CLARION_JOURNAL_URL", "postgresql://host", "must be nats://host:port"),
        ("CLARION_PROVIDER_URLS", "{", "must be a JSON object"),
        ("CLARION_PROVIDER_URLS", "[]", "must be a JSON object"),
        ("CLARION_PROVIDER_URLS", '{"fcm": 1}', "the URL of 'fcm' must be"),
        ("CLARION_PROVIDER_URLS", '{"fcm": "ftp://host"}', "the URL of 'fcm' must be"),
        ("CLARION_PROVIDER_URLS", '{"fcm": "https://"}', "the URL of 'fcm' must be"),
        ("CLARION_PROVIDER_URLS", '{"fcm": "https://host/v1"}', "the URL of 'fcm' must be"),
        ("CLARION_PROVIDER_URLS", '{"fcm": "https://host?a=b"}', "the URL of 'fcm' must be"),
        ("CLARION_PROVIDER_URLS", '{"fcm": "https://host:99999"}', "the URL of 'fcm' must be"),
    ],
)
def test_a_wrong_value_is_refused_with_what_it_must_be(variable: str, value: str, words: str) -> None:
    text = complaint({variable: value})
    assert text.startswith(variable)
    assert words in text


@pytest.mark.parametrize("value", ["true", "3000.0", "[1]", "2026-01-01", "99999999999999999999"])
def test_a_value_of_the_wrong_type_in_the_file_is_refused(tmp_path: Path, value: str) -> None:
    file = config(tmp_path, f"port = {value}")
    assert complaint({}, file).startswith(f"port in {file} is ")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CLARION_API_KEY", "hunter2 hunter2"),
        ("CLARION_ENCRYPTION_KEY", "hunter2 hunter2"),
        ("CLARION_DATABASE_URL", "mysql://root:hunter2@host/db"),
        ("CLARION_DATABASE_URL", "postgresql://root:hunter2/x@host/db"),
        ("CLARION_DATABASE_URL", "postgresql://root:1/hunter2@host/db"),
        ("CLARION_PROVIDER_URLS", '{"fcm": "https://me:hunter2@host"}'),
    ],
)
def test_a_refused_secret_is_not_repeated(variable: str, value: str) -> None:
    assert "hunter2" not in complaint({variable: value})


def test_a_long_wrong_value_is_shortened() -> None:
    assert len(complaint({"CLARION_HOST": "/" * 5000})) < 200


def test_an_unknown_variable_is_refused_with_the_nearest_name() -> None:
    assert complaint({"CLARION_PROT": "1"}) == ("CLARION_PROT is not a setting; did you mean CLARION_PORT?")
    assert "clarion settings --markdown" in complaint({"CLARION_ZZZ": "1"})


def test_variables_for_tests_and_of_others_are_left_alone() -> None:
    assert load({"CLARION_TEST_REQUIRE": "all", "PATH": "/bin", "CLARIONET": "1"}).port == 3000


def test_an_unknown_key_of_the_file_is_refused(tmp_path: Path) -> None:
    file = config(tmp_path, "prot = 1")
    assert complaint({}, file) == f"prot in {file} is not a setting; did you mean port?"
    assert "PORT" in complaint({}, config(tmp_path, "PORT = 1"))


@pytest.mark.parametrize("name", ["activity_retention", "message_retention", "detail_retention"])
def test_nothing_is_kept_for_less_than_no_time(tmp_path: Path, name: str) -> None:
    assert "must be a whole number of seconds from 86400" in complaint({}, config(tmp_path, f"{name} = -1"))
    assert getattr(load({}, config(tmp_path, f"{name} = 0")), name) == 0


@pytest.mark.parametrize("content", [b"port 1", b"\xff\xfe", b"port = 1\nport = 2"])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    assert complaint({}, file).startswith(f"{file} is not valid TOML: ")


def test_sqlite_urls_name_relative_and_absolute_files() -> None:
    assert load({"CLARION_DATABASE_URL": "sqlite:///here/c.db"}).database_path == Path("here/c.db")
    assert load({"CLARION_DATABASE_URL": "sqlite:////var/c.db"}).database_path == Path("/var/c.db")
    assert load({"CLARION_DATA_DIR": "/srv"}).database_path == Path("/srv/clarion.db")


def test_a_postgresql_url_is_told_from_a_file() -> None:
    url = "postgresql://clarion@db/clarion"
    assert load({"CLARION_DATABASE_URL": url}).postgresql_url == url
    assert load({"CLARION_DATABASE_URL": "sqlite:///a.db"}).postgresql_url is None
    assert load({}).postgresql_url is None


def test_secrets_stay_out_of_what_is_shown() -> None:
    settings = load(
        {
            "CLARION_API_KEY": "hunter2",
            "CLARION_ENCRYPTION_KEY": "hunter2",
            "CLARION_DATABASE_URL": "postgresql://me:hunter2@host:5432/db?password=hunter2",
            "CLARION_JOURNAL_URL": "nats://me:hunter2@host:4222,nats://me:hunter2@other:4222",
        }
    )
    assert "hunter2" not in repr(settings) + str(settings) + repr(described(settings))
    shown = one(settings, "CLARION_DATABASE_URL").value_for_eyes
    assert shown == "postgresql://…@host:5432/db?password=…"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load({}).port = 1


def test_every_setting_has_a_default_a_reason_and_what_it_accepts() -> None:
    rows = described(load({}))
    assert len(rows) == len(Settings.model_fields)
    assert [row.name for row in rows if not (row.default and row.reason and row.accepts)] == []
    assert {row.source for row in rows} == {"default"}


def test_the_documentation_lists_the_settings_of_this_version() -> None:
    printed = CliRunner().invoke(command, ["--markdown"])
    assert printed.exit_code == 0
    assert DOCUMENT.read_text() == printed.stdout, "run: clarion settings --markdown > docs/settings.md"
