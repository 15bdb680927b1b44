"""The dashboard as built: its files, and its first page wherever a browser asks for one."""

import mimetypes
import secrets
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

BUILT = Path(str(files("clarion"))) / "dashboard"
"""Where `make dashboard` writes to."""

NONCE = "__NONCE__"
"""In the built first page; a fresh value stands there in every answer, for the styles made at run time."""

_API = ("/v1/", "/v2/")
_MISSING = """<!doctype html><html lang="en"><title>Clarion</title>
<h1>The dashboard is not built</h1>
<p>Run <code>make dashboard</code> in the source tree and start Clarion again.
The API works without it: see <a href="/reference">its reference</a>.</p></html>"""


class Site:
    """Read into memory once, so that a request can name nothing but what was built."""

    def __init__(self, folder: Path = BUILT) -> None:
        self._files = _read(folder)

    def answer(self, request: Request) -> Response | None:
        """A file of the dashboard, or its page; None where the API has to say that there is nothing."""
        path = request.scope["path"]
        if request.method not in ("GET", "HEAD") or path.startswith(_API):
            return None
        name = path.removeprefix("/")
        if name in self._files and name != "index.html":
            return _file(name, self._files[name])
        return self._page() if "text/html" in request.headers.get("accept", "") else None

    def _page(self) -> Response:
        page = self._files.get("index.html")
        if page is None:
            return HTMLResponse(_MISSING, 404, headers=_headers("default-src 'none'"))
        nonce = secrets.token_urlsafe(16)
        return HTMLResponse(page.replace(NONCE.encode(), nonce.encode()), headers=_headers(_policy(nonce)))


def _read(folder: Path) -> Mapping[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def _file(name: str, content: bytes) -> Response:
    """Names under assets/ hold a hash of the content, so they never change."""
    hashed = name.startswith("assets/")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {
        "cache-control": "public, max-age=31536000, immutable" if hashed else "no-cache",
        "x-content-type-options": "nosniff",
    }
    return Response(content, headers=headers, media_type=kind)


def _policy(nonce: str) -> str:
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _headers(policy: str) -> dict[str, str]:
    return {
        "content-security-policy": policy,
        "cache-control": "no-cache",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
