import pytest

from clarion.deliver.exchange import Exchange
from clarion.model.http import HttpReply, HttpRequest


class Listening:
    """A sender that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []

    async def send(
        self, request: HttpRequest, *, timeout: float = 10.0, guarded: bool = False, scope: str = ""
    ) -> HttpReply:
        self.asked.append((request.url, guarded))
        return HttpReply(204)


@pytest.mark.parametrize(
    ("base", "url", "asked"),
    [
        (None, "https://api.test/a?b=1", ("https://api.test/a?b=1", True)),
        ("https://own.test:8443/", "https://api.test/a?b=1", ("https://own.test:8443/a?b=1", False)),
        ("https://own.test/under", "https://api.test:444/a#b", ("https://own.test/under/a#b", False)),
        ("https://own.test", "https://api.test", ("https://own.test", False)),
    ],
)
async def test_only_what_the_operator_set_is_trusted(
    base: str | None, url: str, asked: tuple[str, bool]
) -> None:
    sender = Listening()
    assert await Exchange(sender, base).ask(HttpRequest("POST", url)) == HttpReply(204)
    assert sender.asked == [asked]
