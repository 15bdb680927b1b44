import ast
import json
import shlex

from clarion.cli.samples import Samples

KEY = """it's "quoted" \\ $HOME"""
SAMPLES = Samples("http://127.0.0.1:3000", KEY, "demo-fcm")


def body(line: str) -> object:
    words = shlex.split(line)
    return json.loads(words[words.index("-d") + 1])


def test_a_shell_reads_the_key_and_the_body_as_they_are() -> None:
    assert f"Authorization: ApiKey {KEY}" in shlex.split(SAMPLES.curl())
    assert body(SAMPLES.curl()) == {"name": "welcome", "to": "ada", "payload": {"text": "Hello from cURL"}}
    assert "\n" not in SAMPLES.curl() + SAMPLES.fault() + SAMPLES.outcome()


def test_python_reads_the_key_as_it_is() -> None:
    constants = [
        node.value for node in ast.walk(ast.parse(SAMPLES.python())) if isinstance(node, ast.Constant)
    ]
    assert KEY in constants
    assert SAMPLES.url in constants


def test_typescript_has_the_key_as_a_string_literal() -> None:
    assert f"secretKey: {json.dumps(KEY)}, serverURL: {json.dumps(SAMPLES.url)}" in SAMPLES.typescript()


def test_the_outcome_is_asked_for_the_subscriber_of_the_fault() -> None:
    assert '"subscriberId": "grace"' in SAMPLES.fault()
    assert "subscriberId=grace" in SAMPLES.outcome()
