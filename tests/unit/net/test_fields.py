import pytest

from clarion.errors import TransportError
from clarion.net.fields import field_name, field_value


def test_names_go_out_in_lower_case() -> None:
    assert field_name("X-Request-Id") == b"x-request-id"


@pytest.mark.parametrize("name", ["Host", "connection", "Content-Length", "Transfer-Encoding", "te"])
def test_fields_of_the_connection_have_no_name(name: str) -> None:
    assert field_name(name) == b""


@pytest.mark.parametrize("name", ["", "x y", "x:y", ":path", "x\n", "é", "x\0"])
def test_what_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(TransportError) as caught:
        field_name(name)
    assert caught.value.unprocessed


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b"])
def test_a_value_stays_on_its_line_and_out_of_the_error(value: str) -> None:
    with pytest.raises(TransportError) as caught:
        field_value("x-secret", "hunter2" + value)
    assert "hunter2" not in str(caught.value)
