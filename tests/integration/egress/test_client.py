"""The way out over HTTP, against real sockets: addresses, redirects, caps, TLS."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from infra.egress import AddressRule, Answer, Ask, Egress, EgressFault, Limits, Trust
from tests.support.certificates import a_certificate
from tests.support.http_server import Asked, HttpServer, Reply, http_server
from tests.support.ports import free_port

LOOPBACK = AddressRule(["127.0.0.0/8"])


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    egress = Egress(LOOPBACK)
    yield egress
    egress.close()


async def refused(egress: Egress, ask: Ask) -> EgressFault:
    with pytest.raises(EgressFault) as fault:
        await egress.ask(ask)
    return fault.value


def get(url: str, **more: Any) -> Ask:
    return Ask(method="GET", url=url, **more)


async def test_an_answer_comes_with_status_headers_and_body(egress: Egress) -> None:
    async with http_server(Reply(418, b"short and stout", {"x-pot": "tea"})) as server:
        answer = await egress.ask(get(f"{server.url}/pot?full=1#spout", headers={"X-Asks": "é"}))

    assert (answer.status, answer.body, answer.header("X-Pot")) == (418, b"short and stout", "tea")
    [asked] = server.asked
    assert (asked.method, asked.target, asked.headers["x-asks"]) == ("GET", "/pot?full=1", "é")
    assert asked.headers["host"] == f"127.0.0.1:{server.port}"


class Answers:
    """A name server's answers, the last one for ever, in place of the system's resolver."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    def getaddrinfo(self, host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        address = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


async def test_a_name_that_changes_its_address_is_talked_to_at_the_one_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    egress, port = Egress(AddressRule(["127.0.0.2/32"])), free_port()
    async with (
        http_server(Reply(body=b"public"), host="127.0.0.2", port=port) as public,
        http_server(Reply(body=b"inner"), host="127.0.0.1", port=port) as inner,
    ):
        names = Answers("127.0.0.2", "127.0.0.1")
        monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)

        answer = await egress.ask(get(f"http://rebinding.test:{public.port}/"))
        fault = await refused(egress, get(f"http://rebinding.test:{public.port}/"))

    assert (answer.body, names.asked, inner.connections) == (b"public", 2, 0)
    assert public.asked[0].headers["host"] == f"rebinding.test:{public.port}"
    assert (fault.code, fault.sent, fault.detail) == ("egress_refused", False, "127.0.0.1 is loopback")
    egress.close()


@pytest.mark.provokes("egress_refused", "url_invalid")
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "localhost", "0"],
)
async def test_this_machine_is_not_talked_to_however_it_is_written(host: str) -> None:
    egress = Egress(AddressRule())
    async with http_server(host="127.0.0.1") as server:
        fault = await refused(egress, get(f"http://{host}:{server.port}/"))

    assert fault.code in {"egress_refused", "url_invalid"}
    assert server.connections == 0
    egress.close()


@pytest.mark.parametrize("place", ["h.test:99999", "h.test:0", "exa mple", "[fe80::1%25lo]"])
async def test_what_is_no_host_or_no_port_is_said_and_not_looked_up(place: str) -> None:
    egress = Egress(AddressRule())

    fault = await refused(egress, get(f"http://{place}/"))

    assert fault.code == "url_invalid"
    egress.close()


async def test_each_redirect_is_checked_anew() -> None:
    egress = Egress(AddressRule(["127.0.0.2/32"]))
    async with http_server() as inner, http_server(host="127.0.0.2") as outer:
        outer.answering = _always(Reply(302, headers={"location": f"{inner.url}/secrets"}))

        unfollowed = await egress.ask(get(outer.url))
        fault = await refused(egress, get(outer.url, follow_redirects=True))

    assert unfollowed.status == 302
    assert (fault.code, fault.host, inner.connections) == ("egress_refused", "127.0.0.1", 0)
    egress.close()


def _always(reply: Reply | None) -> Any:
    async def answer(_: Asked) -> Reply | None:
        return reply

    return answer


@pytest.fixture
async def two(egress: Egress) -> AsyncIterator[tuple[HttpServer, HttpServer]]:
    """Two origins; the first redirects to the second."""
    async with http_server() as second, http_server() as first:
        first.answering = _always(Reply(307, headers={"location": f"{second.url}/there"}))
        yield first, second


async def test_nothing_that_could_be_a_credential_goes_to_another_origin(
    egress: Egress, two: tuple[HttpServer, HttpServer]
) -> None:
    first, second = two
    secret = {"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret", "Cookie": "a=s3cret", "Accept": "a/b"}

    await egress.ask(get(first.url, headers=secret, follow_redirects=True))

    assert first.asked[0].headers["authorization"] == "Bearer s3cret"
    assert "s3cret" not in str(second.asked)
    assert second.asked[0].headers["accept"] == "a/b"
    body = Ask(method="POST", url=first.url, body=b"s3cret", follow_redirects=True)
    fault = await refused(egress, body)
    assert (fault.code, len(second.asked)) == ("redirect_refused", 1)


async def test_redirects_keep_or_change_the_method_as_they_say(egress: Egress) -> None:
    async def answer(asked: Asked) -> Reply:
        status = int(asked.target.rpartition("/")[2] or 0)
        return Reply(status, headers={"location": "/"}) if status else Reply(body=asked.method.encode())

    async with http_server(answer) as server:
        ask = Ask(method="POST", url="", body=b"data", follow_redirects=True)
        met = {
            status: (await egress.ask(replace(ask, url=f"{server.url}/{status}"))).body
            for status in (302, 303, 307)
        }
        loop = http_server(Reply(302, headers={"location": "/"}))
        async with loop as endless:
            fault = await refused(egress, get(endless.url, follow_redirects=True))

    assert met == {302: b"GET", 303: b"GET", 307: b"POST"}
    assert (fault.code, len(endless.asked)) == ("redirect_refused", 6)


@pytest.mark.provokes("redirect_refused")
@pytest.mark.parametrize(
    "place", ["ftp://127.0.0.1/", "file:///etc/passwd", "http://u:p@127.0.0.1/", "http://"]
)
async def test_a_redirect_to_something_else_is_refused(egress: Egress, place: str) -> None:
    async with http_server(Reply(302, headers={"location": place})) as server:
        fault = await refused(egress, get(server.url, follow_redirects=True))

    assert fault.code == "redirect_refused"


@pytest.mark.provokes("response_too_large")
async def test_a_large_answer_is_not_read_to_its_end(egress: Egress) -> None:
    small = Limits(response=1000)
    bomb = Reply(body=gzip.compress(bytes(10_000_000)), headers={"content-encoding": "gzip"})
    async with http_server(Reply(body=bytes(1001))) as plain, http_server(bomb) as packed:
        just = await refused(egress, get(plain.url, limits=small))
        bombed = await refused(egress, get(packed.url, limits=small))
        whole = await egress.ask(get(plain.url, limits=Limits(response=1001)))

    assert (just.code, bombed.code, len(whole.body)) == ("response_too_large", "response_too_large", 1001)


@pytest.mark.provokes("response_unreadable")
async def test_an_answer_that_is_not_packed_as_it_says_cannot_be_read(egress: Egress) -> None:
    torn = Reply(body=gzip.compress(bytes(1_000))[:9] + b"torn", headers={"content-encoding": "gzip"})
    async with http_server(torn) as server:
        fault = await refused(egress, get(server.url))

    assert (fault.code, fault.sent) == ("response_unreadable", True)


async def test_silence_and_a_cut_connection_say_whether_the_request_was_sent(egress: Egress) -> None:
    async def silent(_: Asked) -> Reply | None:
        await asyncio.sleep(600)
        return None

    async with http_server(silent) as mute, http_server(_always(None)) as cutting:
        timed_out = await refused(egress, get(mute.url, limits=Limits(total=3.0)))
        cut = await refused(egress, get(cutting.url))
        nobody = await refused(egress, get("http://127.0.0.1:1/"))

    assert [(fault.code, fault.sent) for fault in (timed_out, cut, nobody)] == [
        ("connection_lost", True),
        ("connection_lost", True),
        ("unreachable", False),
    ]


async def test_what_must_hold_before_sending_can_still_stop_the_request(egress: Egress) -> None:
    def stop() -> None:
        raise LookupError("no longer mine")

    async with http_server() as server:
        with pytest.raises(LookupError):
            await egress.ask(get(server.url, before_sending=stop))
    assert server.asked == []


async def test_no_proxy_is_taken_from_the_environment(
    egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with http_server(Reply(body=b"proxy")) as proxy, http_server(Reply(body=b"itself")) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        answer = await egress.ask(get(server.url))

    assert (answer.body, proxy.connections) == (b"itself", 0)


async def test_a_secret_goes_over_plain_http_only_where_it_was_allowed(egress: Egress) -> None:
    public = Egress(AddressRule(), resolve=_resolving("93.184.215.14"))

    fault = await refused(public, get("http://example.test/", holds_secret=True))

    assert (fault.code, fault.detail) == ("egress_refused", "93.184.215.14 is not in OPS_EGRESS_ALLOW")
    async with http_server() as server:
        assert (await egress.ask(get(server.url, holds_secret=True))).status == 200
    public.close()


def _resolving(*addresses: str) -> Any:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


async def test_an_address_that_does_not_answer_is_followed_by_the_next() -> None:
    async with http_server(host="127.0.0.3") as server:
        egress = Egress(LOOPBACK, resolve=_resolving("127.0.0.2", "127.0.0.3"))
        answer = await egress.ask(get(f"http://two.test:{server.port}/"))

    assert answer.status == 200
    egress.close()


@pytest.mark.provokes("tls_settings")
async def test_tls_is_verified_pinned_or_given_up_as_said(egress: Egress) -> None:
    certificate = a_certificate("127.0.0.1")
    wrong = "0" * 64

    async with http_server(tls=certificate.server_context()) as server:

        async def asked(trust: Trust) -> Answer | EgressFault:
            try:
                return await egress.ask(get(server.url, trust=trust))
            except EgressFault as fault:
                return fault

        by_default = await asked(Trust())
        pinned = await asked(Trust(fingerprint=certificate.fingerprint))
        mispinned = await asked(Trust(fingerprint=wrong))
        by_bundle = await asked(Trust(ca_bundle=certificate.certificate))
        unverified = await asked(Trust(verify=False))
        unreadable = await asked(Trust(ca_bundle="no certificate"))
        before = len(server.asked)
    async with http_server() as plain:
        mismatch = await refused(egress, get(plain.url.replace("http:", "https:")))

    assert isinstance(by_default, EgressFault)
    assert (by_default.code, by_default.sent) == ("tls_untrusted", False)
    assert isinstance(mispinned, EgressFault)
    assert (mispinned.code, mispinned.sent) == ("tls_untrusted", False)
    assert isinstance(unreadable, EgressFault)
    assert (unreadable.code, mismatch.code) == ("tls_settings", "tls_protocol_mismatch")
    assert all(isinstance(answer, Answer) for answer in (pinned, by_bundle, unverified))
    assert before == 3


async def test_a_client_certificate_is_shown_to_who_asks_for_it(egress: Egress) -> None:
    host, ours = a_certificate("127.0.0.1"), a_certificate("ops")
    context = host.server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=ours.certificate)
    trust = Trust(fingerprint=host.fingerprint)
    shown = replace(trust, client_certificate=ours.certificate + ours.key)

    async with http_server(tls=context) as server:
        with pytest.raises(EgressFault):
            await egress.ask(get(server.url, trust=trust))
        assert (await egress.ask(get(server.url, trust=shown))).status == 200
