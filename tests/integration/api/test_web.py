"""The web client beside the API: what is served, under which headers, and what stays the API's."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.web import NONCE_MARK, WebClient
from tests.support.api import Api

HTML = {"accept": "text/html,application/xhtml+xml"}
PAGE = (
    f'<!doctype html><meta property="csp-nonce" nonce="{NONCE_MARK}"><script src="/assets/a-1.js"></script>'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / ".vite").mkdir()
    (dist / ".vite" / "manifest.json").write_text("{}")
    (dist / "index.html").write_text(PAGE)
    (dist / "favicon.svg").write_text("<svg/>")
    script = b"let a = 1;\n" * 200
    (dist / "assets" / "a-1.js").write_bytes(script)
    (dist / "assets" / "a-1.js.gz").write_bytes(gzip.compress(script))
    (tmp_path / "outside.txt").write_text("not yours")
    (dist / "link.txt").symlink_to(tmp_path / "outside.txt")
    return dist


@pytest.fixture
async def web(api: Api, folder: Path) -> Api:
    """The gateway with this built client, nobody signed in."""
    router = api.app.router
    router.default = WebClient(folder, otherwise=router.not_found)
    del api.client.headers["authorization"]
    return api


async def _get(api: Api, path: str, **headers: str) -> Any:
    return await api.client.get(path, headers=headers)


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/0193-x", "/login?to=%2Fruns"])
async def test_every_address_of_the_client_is_its_page_and_never_kept_by_caches(web: Api, path: str) -> None:
    response = await _get(web, path, **HTML)

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["cache-control"] == "no-cache"


async def test_the_address_alone_is_the_page_for_whoever_asks(web: Api) -> None:
    response = await _get(web, "/", accept="*/*")

    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_the_page_allows_only_its_own_scripts_and_styles_and_no_frame(web: Api) -> None:
    response = await _get(web, "/", **HTML)
    policy = response.headers["content-security-policy"]

    assert "default-src 'self'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


async def test_each_page_has_a_nonce_of_its_own_which_the_policy_names(web: Api) -> None:
    first, second = [await _get(web, "/", **HTML) for _ in range(2)]
    found = re.search(r'nonce="([^"]{20,})"', first.text)

    assert found
    assert f"'nonce-{found[1]}'" in first.headers["content-security-policy"]
    assert found[1] not in second.text
    assert NONCE_MARK not in first.text


async def test_assets_are_kept_for_ever_and_sent_compressed_to_whom_it_suits(web: Api) -> None:
    plain = await _get(web, "/assets/a-1.js", **{"accept-encoding": "identity"})
    small = await _get(web, "/assets/a-1.js", **{"accept-encoding": "gzip, br"})

    assert "immutable" in plain.headers["cache-control"]
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert small.headers["vary"] == "accept-encoding"
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"])
    assert small.text == plain.text
    assert plain.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("path", ["/api", "/api/v1/nothing", "/api/nothing/at/all", "/internal/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_unknown_api_paths_are_a_json_404_even_to_browsers(web: Api, method: str, path: str) -> None:
    response = await web.client.request(method, path, headers=HTML)

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize("path", ["/assets/old-9.js", "/nothing.txt", "/runs"])
async def test_who_did_not_ask_for_a_page_gets_a_404_and_not_the_page(web: Api, path: str) -> None:
    response = await _get(web, path, accept="*/*")

    assert response.status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../outside.txt", "/%2e%2e/outside.txt", "/assets/..%2f..%2foutside.txt", "/link.txt",
        "/.vite/manifest.json", "//etc/passwd", "/assets//a-1.js", "/assets",
    ],
)  # fmt: skip
async def test_nothing_outside_the_folder_and_nothing_hidden_is_ever_sent(web: Api, path: str) -> None:
    response = await _get(web, path, accept="*/*")

    assert response.status_code == 404
    assert "not yours" not in response.text


async def test_a_known_path_with_the_wrong_method_stays_a_405(web: Api) -> None:
    assert (await web.client.get("/api/login", headers=HTML)).status_code == 405


async def test_a_page_says_what_to_do_when_the_client_was_not_built(web: Api, tmp_path: Path) -> None:
    router = web.app.router
    router.default = WebClient(tmp_path / "empty", otherwise=router.not_found)

    response = await _get(web, "/", **HTML)

    assert response.status_code == 404
    assert "make web" in response.text


async def test_a_new_build_is_served_without_a_restart(web: Api, folder: Path) -> None:
    await _get(web, "/", **HTML)
    (folder / "index.html").write_text("<!doctype html>another build")

    assert "another build" in (await _get(web, "/", **HTML)).text
