"""The dashboard's files beside the API."""

import re
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from calling import Api
from clarion.api.site import Site

BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<meta name="style-nonce" content="__NONCE__" />')
    (tmp_path / "assets" / "main-abc.js").write_text("let a")
    return tmp_path


async def get(folder: Path, path: str, method: str = "GET", accept: str = "*/*") -> httpx.Response:
    site = Site(folder)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found = site.answer(Request(scope)) or Response("left to the API", 404)
        await found(scope, receive, send)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://clarion.test"
    ) as client:
        return await client.request(method, path, headers={"accept": accept})


async def test_every_page_has_a_nonce_of_its_own_and_no_inline_script(built: Path) -> None:
    answers = [await get(built, path, accept=BROWSER["accept"]) for path in ("/", "/activity", "/index.html")]
    nonces = {re.findall('content="([^"]+)"', answer.text)[0] for answer in answers}
    assert len(nonces) == 3
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe-inline" not in policy
        assert any(f"'nonce-{nonce}'" in policy for nonce in nonces)
        assert answer.headers["cache-control"] == "no-cache"


async def test_hashed_files_are_kept_for_good(built: Path) -> None:
    answer = await get(built, "/assets/main-abc.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in answer.headers["content-type"]


@pytest.mark.parametrize("path", ["/v1/nothing", "/v2/nothing"])
async def test_a_path_of_the_api_is_left_to_it(built: Path, path: str) -> None:
    assert (await get(built, path, accept=BROWSER["accept"])).text == "left to the API"


@pytest.mark.parametrize("path", ["/assets/missing.js", "/assets/../../secret", "/%2e%2e/secret"])
async def test_nothing_but_what_was_built_is_served(built: Path, path: str) -> None:
    assert (await get(built, path)).text == "left to the API"


async def test_other_methods_are_left_to_the_api(built: Path) -> None:
    assert (await get(built, "/", "POST", BROWSER["accept"])).text == "left to the API"


async def test_a_dashboard_that_was_not_built_says_how_to(tmp_path: Path) -> None:
    answer = await get(tmp_path, "/", accept=BROWSER["accept"])
    assert answer.status_code == 404
    assert "make dashboard" in answer.text


async def test_the_api_answers_unknown_paths_in_json(api: Api) -> None:
    answer = await api.development.call("GET", "/v1/nothing", headers=BROWSER)
    assert answer.status_code == 404
    assert answer.json()["statusCode"] == 404
