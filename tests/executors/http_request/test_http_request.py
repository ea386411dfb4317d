"""The promises of `http.request`, against a real server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import orjson
import pytest

from contracts.jobs.steps import HttpRequest
from infra.egress import AddressRule, Egress
from tests.support.artifacts import MemoryArtifacts
from tests.support.eventually import eventually
from tests.support.http_server import Asked, HttpServer, Reply, http_server
from tests.support.outputs import CollectedOutput
from workers.executor.steps.base import (
    NotResumable,
    OpenedCredential,
    StepContext,
    StepFault,
    StepOutcome,
)
from workers.executor.steps.http_request import HttpRequestPlugin


@pytest.fixture
async def plugin() -> AsyncIterator[HttpRequestPlugin]:
    plugin = HttpRequestPlugin(Egress(AddressRule(["127.0.0.0/8"])))
    yield plugin
    await plugin.close()


def step(url: str, **fields: Any) -> HttpRequest:
    return HttpRequest.model_validate({"type": "http.request", "url": url} | fields)


def context(**changes: Any) -> StepContext:
    given: dict[str, Any] = {
        "run_id": uuid4(),
        "task_id": uuid4(),
        "attempt": 1,
        "step": "step",
        "target": None,
        "credential": None,
        "parameters": {},
        "secret_parameters": frozenset(),
        "output": CollectedOutput(),
        "still_mine": lambda: None,
        "artifacts": MemoryArtifacts(),
    }
    return StepContext(**(given | changes))


async def run(plugin: HttpRequestPlugin, spec: HttpRequest, **changes: Any) -> StepOutcome:
    attempt = await plugin.start(spec, context(**changes))
    outcome = await attempt.follow()
    await attempt.release()
    return outcome


def a_json(document: Any, status: int = 200) -> Reply:
    return Reply(status, orjson.dumps(document), {"content-type": "application/json"})


def credential(**secrets: str) -> OpenedCredential:
    return OpenedCredential(id=uuid4(), version=1, type="x", username="ann", secrets=secrets)


async def test_the_answer_is_the_output_and_what_was_asked_for_is_kept(plugin: HttpRequestPlugin) -> None:
    document = {"id": 7, "tags": ["a", "b"], "name": "ä"}
    output = CollectedOutput()
    async with http_server(a_json(document, 201)) as server:
        spec = step(
            f"{server.url}/things/{{{{ what }}}}?x=1",
            method="POST",
            query={"dry": True, "tag": ["a b", "{{ what }}"]},
            headers={"X-Ticket": "T-{{ number }}"},
            body={"number": "{{ number }}", "text": "no. {{ number }}"},
            outputs={"id": "$.id", "tags": "$.tags[*]", "name": "$.name"},
        )
        outcome = await run(plugin, spec, parameters={"what": "a/b c", "number": 3}, output=output)

    assert outcome.outcome == "succeeded"
    assert outcome.outputs == {"status": 201, "id": 7, "tags": ["a", "b"], "name": "ä"}
    [asked] = server.asked
    assert asked.target == "/things/a%2Fb%20c?x=1&dry=true&tag=a+b&tag=a%2Fb+c"
    assert (asked.method, asked.headers["x-ticket"]) == ("POST", "T-3")
    assert orjson.loads(asked.body) == {"number": 3, "text": "no. 3"}
    assert asked.headers["content-type"] == "application/json"
    first, *_ = output.stdout.decode().splitlines()
    assert (first, output.stdout.decode().endswith(orjson.dumps(document).decode())) == (
        "HTTP/1.1 201 Said",
        True,
    )


async def test_bodies_are_sent_as_they_are_meant(plugin: HttpRequestPlugin) -> None:
    async with http_server() as server:
        await run(plugin, step(server.url, method="PUT", body="plain {{ a }}"), parameters={"a": "text"})
        await run(plugin, step(server.url, method="POST", form={"a": "x&y", "b": [1, True]}))
        await run(plugin, step(server.url, method="POST", body=None))
        await run(plugin, step(server.url, method="DELETE"))

    assert [(asked.body, asked.headers.get("content-type")) for asked in server.asked] == [
        (b"plain text", "text/plain; charset=utf-8"),
        (b"a=x%26y&b=1&b=true", "application/x-www-form-urlencoded"),
        (b"null", "application/json"),
        (b"", None),
    ]


@pytest.mark.parametrize(
    ("expect", "code", "detail"),
    [
        ({}, None, ""),
        ({"status": [204, "4xx"]}, "http_status", "200 Said"),
        ({"status": 200, "json": [{"path": "$.a", "equals": 1}]}, None, ""),
        ({"json": [{"path": "$.a", "equals": True}]}, "http_assertion", "$.a is 1 instead of true"),
        ({"json": [{"path": "$.b", "equals": None}]}, None, ""),
        ({"json": [{"path": "$.c"}]}, "http_assertion", "$.c is not there"),
        ({"json": [{"path": "$.a", "exists": False}]}, "http_assertion", "$.a should not be there and is 1"),
        ({"json": [{"path": "$.s", "matches": "^o.$"}]}, None, ""),
        ({"json": [{"path": "$.s", "matches": "^x"}]}, "http_assertion", '$.s is "ok" and does not match ^x'),
        ({"json": [{"path": "$.s", "equals": "{{ word }}"}]}, None, ""),
        ({"body_contains": '"s":"{{ word }}"'}, None, ""),
        ({"body_contains": "nothing"}, "http_assertion", "the body does not contain the text it should"),
    ],
)
async def test_an_answer_is_judged_by_what_the_step_expects(
    plugin: HttpRequestPlugin, expect: dict[str, Any], code: str | None, detail: str
) -> None:
    async with http_server(a_json({"a": 1, "b": None, "s": "ok"})) as server:
        outcome = await run(plugin, step(server.url, **{"assert": expect}), parameters={"word": "ok"})

    assert (outcome.cause.code if outcome.cause else None) == code
    assert outcome.words.get("detail", "") == detail
    assert outcome.outputs["status"] == 200


@pytest.mark.provokes("http_status", "http_assertion", "http_output_missing")
async def test_an_answer_that_is_not_what_it_should_be_fails_with_its_reason(
    plugin: HttpRequestPlugin,
) -> None:
    async with http_server(Reply(500, b"<h1>sorry</h1>")) as server:
        failed = await run(plugin, step(server.url))
        not_json = await run(plugin, step(server.url, outputs={"a": "$.a"}, **{"assert": {"status": 500}}))
    async with http_server(a_json({})) as server:
        missing = await run(plugin, step(server.url, outputs={"a": "$.a"}))
        large = step(server.url, max_response_bytes=1)
        with pytest.raises(StepFault) as fault:
            await run(plugin, large)

    causes = [outcome.cause.code for outcome in (failed, not_json, missing) if outcome.cause]
    assert causes == ["http_status", "http_assertion", "http_output_missing"]
    assert (fault.value.cause.code, fault.value.acted) == ("response_too_large", False)


@pytest.mark.provokes("credential_unfit")
async def test_a_credential_goes_as_its_kind_goes(plugin: HttpRequestPlugin) -> None:
    async with http_server() as server:
        named = step(server.url, credential="c")
        await run(plugin, named, credential=credential(token="t0ken"))
        in_header = step(server.url, credential="c", credential_header="X-Key")
        await run(plugin, in_header, credential=credential(token="t0ken"))
        await run(plugin, named, credential=credential(password="pä"))
        await run(plugin, step(server.url), credential=credential(token="the target's own"))
        with pytest.raises(StepFault) as unfit:
            await run(plugin, named, credential=credential(private_key="k"))
        with pytest.raises(StepFault) as broken:
            await run(plugin, named, credential=credential(token="a\r\nX: y"))

    sent = [(asked.headers.get("authorization"), asked.headers.get("x-key")) for asked in server.asked]
    assert sent == [("Bearer t0ken", None), (None, "t0ken"), ("Basic YW5uOnDDpA==", None), (None, None)]
    assert (unfit.value.cause.code, broken.value.cause.code) == ("credential_unfit", "credential_unfit")


async def _mute(_: Asked) -> Reply | None:
    return None


async def test_only_a_request_that_may_have_changed_something_leaves_it_open(
    plugin: HttpRequestPlugin,
) -> None:
    found = []
    async with http_server(_mute) as server:
        for method in ("GET", "HEAD", "POST", "DELETE"):
            with pytest.raises(StepFault) as fault:
                await run(plugin, step(server.url, method=method))
            found.append((method, fault.value.cause.code, fault.value.acted))
    with pytest.raises(StepFault) as nobody:
        await run(plugin, step("http://127.0.0.1:1/", method="POST"))

    assert found == [
        ("GET", "connection_lost", False),
        ("HEAD", "connection_lost", False),
        ("POST", "connection_lost", True),
        ("DELETE", "connection_lost", True),
    ]
    assert (nobody.value.cause.code, nobody.value.acted) == ("unreachable", False)


async def test_a_lost_request_is_sent_again_only_where_it_reads(plugin: HttpRequestPlugin) -> None:
    async with http_server() as server:
        reading = await plugin.start(step(server.url), context())
        changing = await plugin.start(step(server.url, method="POST"), context())
        assert not reading.handle
        with pytest.raises(NotResumable):
            await plugin.resume(step(server.url, method="POST"), context(), changing.handle)
    assert server.asked == []


@pytest.fixture
async def slow() -> AsyncIterator[HttpServer]:
    async def answer(_: Asked) -> Reply | None:
        await asyncio.sleep(60)
        return None

    async with http_server(answer) as server:
        yield server


@pytest.mark.parametrize(("method", "verified"), [("GET", True), ("POST", False)])
async def test_stopping_hangs_up_and_is_honest(
    plugin: HttpRequestPlugin, slow: HttpServer, *, method: str, verified: bool
) -> None:
    attempt = await plugin.start(step(slow.url, method=method), context())
    following = asyncio.create_task(attempt.follow())
    await eventually(lambda: slow.asked)

    assert await attempt.stop() is verified
    with pytest.raises(asyncio.CancelledError):
        await following


async def test_a_task_that_is_no_longer_ours_sends_nothing(plugin: HttpRequestPlugin) -> None:
    def gone() -> None:
        raise LookupError

    async with http_server() as server:
        with pytest.raises(LookupError):
            await run(plugin, step(server.url, method="POST"), still_mine=gone)
    assert server.asked == []


async def test_what_opens_doors_is_not_shown(plugin: HttpRequestPlugin) -> None:
    output = CollectedOutput()
    async with http_server(Reply(body=bytes(9), headers={"set-cookie": "session=s3cret"})) as server:
        await run(plugin, step(server.url), output=output)

    assert "s3cret" not in output.stdout.decode()
    assert "[9 bytes that are no text]" in output.stdout.decode()


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"method": "GET", "body": {}}, "GET takes no body"),
        ({"method": "POST", "body": {}, "form": {}}, "exclude"),
        ({"headers": {"Host": "x"}}, "set by the system"),
        ({"headers": {"a b": "x"}}, "pattern"),
        ({"outputs": {"a": "b.c"}}, "RFC 9535"),
        ({"outputs": {"a": "$..a..b..c"}}, "at most 2"),
        ({"outputs": {"a": "$[?match(@.a, '(a+)+')]"}}, "RFC 9535"),
        ({"outputs": {"status": "$.a"}}, "always there"),
        ({"assert": {"json": [{"path": "$.a", "equals": 1, "exists": True}]}}, "one of"),
        ({"assert": {"json": [{"path": "$.a", "matches": "("}]}}, "regular expression"),
        ({"assert": {"status": 99}}, "100"),
        ({"credential_header": "X-Key"}, "needs a credential"),
    ],
)
def test_a_step_that_cannot_work_is_refused_when_saved(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(ValueError, match=where):
        step("https://h.test/", **fields)
