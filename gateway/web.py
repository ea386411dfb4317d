"""The built web client, served beside the API: `web/dist`, or wherever OPS_WEB_DIR points."""

import base64
import mimetypes
import secrets
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

BESIDE_THE_PACKAGE = Path(__file__).parent.parent / "web" / "dist"
NONCE_MARK = "__CSP_NONCE__"
"""What the build writes where a nonce belongs (web/vite.config.ts)."""

NOT_FOR_THE_CLIENT = ("/api", "/internal")
_YEAR = "public, max-age=31536000, immutable"
_COMPRESSED = ".gz"
_HEADERS = {
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}
_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>OpsConductor</title>
<h1>The web client was not built</h1>
<p>The API works, and so does the command line: <code>opsconductor --help</code>.</p>
<p>To have the client here too, install Node 20.19 or newer and run <code>make web</code> in the checkout,
or point <code>OPS_WEB_DIR</code> to a folder with a built client. Then load this page again.</p>
</html>
"""


def policy(nonce: str) -> str:
    """The content policy of the client's page.

    Scripts only from here. Style sheets from here and the few that Mantine makes at run time, which carry the
    nonce; styles that scripts set on elements need no permission. So nothing is `unsafe-inline`.
    """
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class WebClient:
    """ASGI: what is no route of the API. Reads the folder anew, so a build needs no restart.

    What the client has nothing to say to goes on to `otherwise`.
    """

    def __init__(self, folder: Path | None, otherwise: ASGIApp) -> None:
        self._folder = (folder or BESIDE_THE_PACKAGE).resolve()
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self.answer(Request(scope)) if scope["type"] == "http" else None
        await (answer or self._otherwise)(scope, receive, send)

    def answer(self, request: Request) -> Response | None:
        """A file, the page, or None where the client has nothing to say and a plain 404 is right."""
        path = request.url.path
        if request.method not in {"GET", "HEAD"} or _is_api(path):
            return None
        file = self._file(path)
        if file is not None:
            return self._send(file, path, request)
        if path == "/" or "text/html" in request.headers.get("accept", ""):
            return self._page()
        return None

    def _file(self, path: str) -> Path | None:
        """The built file of this name; never anything outside the folder, hidden, or the page itself."""
        parts = path.strip("/").split("/")
        if parts == ["index.html"] or any(part in {"", ".", ".."} or part.startswith(".") for part in parts):
            return None
        file = self._folder.joinpath(*parts)
        return file if file.is_file() and file.resolve().is_relative_to(self._folder) else None

    def _send(self, file: Path, path: str, request: Request) -> Response:
        lasting = path.startswith("/assets/")
        headers = {**_HEADERS, "cache-control": _YEAR if lasting else "no-cache"}
        media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        small = file.with_name(file.name + _COMPRESSED)
        if small.is_file():
            headers["vary"] = "accept-encoding"
            if "gzip" in request.headers.get("accept-encoding", ""):
                file, headers["content-encoding"] = small, "gzip"
        return FileResponse(file, headers=headers, media_type=media_type)

    def _page(self) -> Response:
        nonce = base64.b64encode(secrets.token_bytes(18)).decode()
        headers = {**_HEADERS, "cache-control": "no-cache", "content-security-policy": policy(nonce)}
        index = self._folder / "index.html"
        try:
            changed = index.stat().st_mtime_ns
        except FileNotFoundError:
            return HTMLResponse(_NOT_BUILT, 404, headers)
        return HTMLResponse(_read(index, changed).replace(NONCE_MARK, nonce), headers=headers)


def _is_api(path: str) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in NOT_FOR_THE_CLIENT)


@lru_cache(maxsize=1)
def _read(index: Path, _changed: int) -> str:
    return index.read_text()
