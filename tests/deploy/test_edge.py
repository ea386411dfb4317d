"""nginx with the very configuration of the image, in front of a real gateway."""

import asyncio
import json
import re
import socket
import ssl
from typing import Any

import httpx2
import pytest

from contracts.limits import BODY_BYTES
from gateway.web import NONCE_MARK, policy
from tests.deploy.conftest import Site
from tests.support.eventually import PATIENCE, eventually

pytestmark = [pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="session")]

SECURITY_HEADERS = {
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of this answer, which has to be one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert (document["status"], document["code"]) == (status, code)
    assert document["request_id"] == answer.headers["x-request-id"]
    return document


async def greeting(site: Site, *words: str) -> tuple[int, str]:
    """What `openssl s_client` says to this way of greeting."""
    process = await asyncio.create_subprocess_exec(
        *("openssl", "s_client", "-connect", f"127.0.0.1:{site.edge.https_port}", *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode(errors="replace")


@pytest.mark.parametrize("version", ["tls1", "tls1_1"])
async def test_tls_older_than_1_2_is_refused(site: Site, openssl: None, version: str) -> None:
    code, said = await greeting(site, f"-{version}", "-cipher", "ALL:@SECLEVEL=0")

    assert code != 0
    assert "alert protocol version" in said, "the client has to have offered it, and the server refused"


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
async def test_modern_tls_is_spoken_with_forward_secrecy_only(
    site: Site, openssl: None, version: str
) -> None:
    code, said = await greeting(site, f"-{version}")

    assert code == 0, said
    older, _ = await greeting(site, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:AES128-SHA")
    assert older != 0, "no cipher without forward secrecy and authenticated encryption"


async def test_a_browser_is_offered_http_2(site: Site) -> None:
    def agreed() -> str | None:
        context = ssl.create_default_context(cafile=str(site.edge.certificate))
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection(("127.0.0.1", site.edge.https_port), timeout=PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname="ops.test") as secure,
        ):
            return secure.selected_alpn_protocol()

    assert await asyncio.to_thread(agreed) == "h2"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_plain_http_is_sent_to_https_with_host_path_and_query(site: Site, method: str) -> None:
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.request(
            method,
            f"http://127.0.0.1:{site.edge.http_port}/api/v1/runs?limit=2&status=failed",
            headers={"host": f"ops.test:{site.edge.http_port}"},
        )

    assert answer.status_code == 308
    location = f"https://ops.test:{site.edge.https_port}/api/v1/runs?limit=2&status=failed"
    assert answer.headers["location"] == location
    assert "nginx/" not in answer.text


async def test_plain_http_on_the_tls_port_is_sent_to_https(site: Site) -> None:
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.get(f"http://localhost:{site.edge.https_port}/readyz")

    assert answer.status_code == 308
    assert answer.headers["location"] == f"{site.edge.url}/readyz"


@pytest.mark.parametrize(
    "path", ["/", "/assets/app.js", "/api/v1/runs", "/api/v1/nothing", "/internal/x", "/no/such.png"]
)
async def test_every_answer_has_each_security_header_once_and_names_no_version(site: Site, path: str) -> None:
    answer = await site.browser.get(path)

    for name, value in SECURITY_HEADERS.items():
        assert answer.headers.get_list(name) == [value], name
    assert answer.headers["server"] == "nginx"


async def test_an_unknown_api_path_is_a_json_404_also_for_a_browser(site: Site) -> None:
    for path in ("/api/v1/nothing", "/api/nothing", "/api", "/api/"):
        answer = await site.browser.get(path, headers={"accept": "text/html"})
        problem(answer, 404, "not_found")


@pytest.mark.parametrize(
    "path", ["/internal", "/internal/decrypt/1", "//internal/x", "/%69nternal/x", "/api/../internal/x"]
)
async def test_what_is_internal_is_not_there_and_does_not_reach_the_gateway(site: Site, path: str) -> None:
    answer = await site.browser.post(path)

    assert len(problem(answer, 404, "not_found")["request_id"]) == 32, "the edge's own id, not the gateway's"


async def test_metrics_are_not_for_the_outside(site: Site) -> None:
    problem(await site.browser.get("/metrics"), 404, "not_found")


async def test_a_page_of_the_client_is_found_under_any_name_but_only_as_a_page(site: Site) -> None:
    page = await site.browser.get("/runs/17", headers={"accept": "text/html,*/*"})
    assert page.status_code == 200
    assert "the client" in page.text
    [nonce] = re.findall(r"nonce=(\w{32})>", page.text)
    assert page.headers["content-security-policy"] == policy(nonce), "as the gateway would have sent it"
    assert NONCE_MARK not in page.text

    problem(await site.browser.get("/runs/17", headers={"accept": "application/json"}), 404, "not_found")
    asset = await site.browser.get("/assets/app.js")
    assert (asset.status_code, asset.headers["content-encoding"]) == (200, "gzip")
    assert "immutable" in asset.headers["cache-control"]


async def test_the_gateways_own_errors_pass_as_they_are(site: Site) -> None:
    answer = await site.browser.get("/api/v1/runs/0199aaaa-0000-7000-8000-000000000000")

    document = problem(answer, 404, "not_found")
    assert len(document["request_id"]) == 36, "the gateway's own id"


async def test_a_body_over_the_limit_is_refused_at_the_edge(site: Site) -> None:
    answer = await site.browser.post("/api/v1/jobs", content=b"x" * (BODY_BYTES + 1))

    assert len(problem(answer, 413, "too_large")["request_id"]) == 32, "the edge's own id"


async def test_a_large_file_is_not_held_at_the_edge(site: Site) -> None:
    """The gateway hears of it before it is there: the edge has neither refused it nor waited for the rest."""
    context = ssl.create_default_context(cafile=str(site.edge.certificate))
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", site.edge.https_port, ssl=context, server_hostname="ops.test"
    )
    head = f"POST /api/v1/artifacts HTTP/1.1\r\nhost: ops.test\r\ncontent-length: {50 * BODY_BYTES}\r\n\r\n"
    writer.write(head.encode() + b"x" * 65_536)
    async with asyncio.timeout(PATIENCE):
        answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()

    [request_id] = re.findall(r"x-request-id: (\S+)", answer.decode().lower())
    assert len(request_id) == 36, "the gateway has answered"


async def test_the_gateway_hears_the_clients_address_and_not_what_a_client_claims(site: Site) -> None:
    lied = {"x-forwarded-for": "203.0.113.7", "forwarded": "for=203.0.113.7"}
    async with site.edge.client(address="127.0.0.9") as client:
        bad = {"username": "admin", "password": "wrong"}
        answer = await client.post("/api/login", json=bad, headers=lied)

    assert answer.status_code == 401
    seen = "SELECT detail ->> 'address' FROM audit WHERE action = 'access.login_refused'"
    assert await site.system.value(seen) == "127.0.0.9"


async def test_what_opens_something_is_not_in_the_log(site: Site) -> None:
    await site.browser.get("/api/v1/artifacts/pull/hidden-7301")
    await site.browser.get("/api/v1/runs?ticket=hidden-7302")

    await eventually(lambda: "/api/v1/artifacts/pull/…" in site.edge.log())
    assert "hidden" not in site.edge.log()


async def test_a_stream_is_not_held_back(site: Site) -> None:
    """The first line arrives while the command waits for us, so it cannot have waited for the second."""
    flag = site.system.folder / "go-on"
    command = f"echo first; until [ -e {flag} ]; do sleep 0.05; done; echo second"
    targets = await site.system.targets(1)
    job = await site.system.job({"type": "ssh.exec", "command": command}, targets=targets)
    run = await site.system.run(job)
    heard: list[str] = []
    async with site.browser.stream("GET", f"/api/v1/runs/{run}/events", timeout=PATIENCE) as stream:
        assert stream.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in stream.headers
        async for line in stream.aiter_lines():
            if line.startswith("data:") and '"data"' in line:
                heard.append(json.loads(line.removeprefix("data:"))["data"])
                flag.touch()
    assert heard == ["first\n", "second\n"]


async def test_without_the_gateway_the_api_says_so_and_a_new_one_is_found_without_a_reload(
    site: Site,
) -> None:
    gateway = site.system.the("gateway")
    gateway.terminate()
    await asyncio.to_thread(gateway.wait)

    answer = await site.browser.get("/api/v1/runs")

    assert "Idempotency-Key" in problem(answer, 502, "gateway_down")["detail"]
    assert answer.headers["retry-after"] == "2"
    assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000"]
    assert (await site.browser.get("/")).status_code == 200, "the client's pages need no gateway"

    # As a container that starts again, it has another address.
    site.names.address = "127.0.0.2"
    site.system.start("gateway", OPS_HOST="127.0.0.2")

    async def answers() -> bool:
        return (await site.browser.get("/api/v1/runs")).status_code == 200

    await eventually(answers, every=0.2)
