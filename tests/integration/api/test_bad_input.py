"""Whatever is sent, the answer is a typed problem and nothing is written."""

from collections.abc import AsyncIterator

import orjson
import pytest

from tests.support.api import Api

DEEP = b'{"parameters":{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}}"
BAD_BODIES = {
    "no json": (b"{", 422),
    "not an object": (b"[1]", 422),
    "null": (b'{"parameters": null}', 422),
    "a double key": (b'{"parameters": {"a": 1, "a": 2}}', 422),
    "a lone surrogate": (b'{"parameters": {"a": "\\ud800"}}', 422),
    "broken utf-8": (b'{"parameters": {"a": "\xff"}}', 422),
    "an escaped NUL": (b'{"parameters": {"a": "x\\u0000y"}}', 422),
    "an escaped NUL in a key": (b'{"parameters": {"\\u0000": 1}}', 422),
    "a NUL in a target": (b'{"targets": ["\\u0000"]}', 422),
    "endless nesting": (DEEP, 422),
    "a number without end": (b'{"parameters": {"a": ' + b"9" * 6_000 + b"}}", 422),
    "infinity": (b'{"parameters": {"a": Infinity}}', 422),
    "an unknown field": (b'{"parameter": {}}', 422),
    "an unknown parameter": (b'{"parameters": {"nobody": "asked"}}', 422),
    "a wrong type": (b'{"parameters": {"a": {"b": 1}}}', 422),
    "no targets": (b'{"targets": []}', 422),
    "an unknown target": (b'{"targets": ["nowhere"]}', 422),
    "too large a value": (orjson.dumps({"parameters": {"a": "x" * 70_000}}), 422),
    "too large a body": (orjson.dumps({"parameters": {"a": "x" * 10_000_000}}), 413),
}


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_a_bad_body_is_a_typed_problem_and_writes_nothing(api: Api, name: str) -> None:
    job = await api.a_job(parameters={"a": "default"})
    body, status = BAD_BODIES[name]

    response = await api.client.post(
        f"/api/v1/jobs/{job['id']}/run",
        content=body,
        headers={"content-type": "application/json", "idempotency-key": "bad"},
    )

    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["code"]
    assert problem["request_id"] == response.headers["x-request-id"]
    counted = {
        table: await api.count(table) for table in ("runs", "outbox", "run_events", "idempotency_keys")
    }
    assert counted == dict.fromkeys(counted, 0)


async def test_a_body_without_a_length_is_cut_off_at_the_limit(api: Api) -> None:
    job = await api.a_job()
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 65_536
            yield b" " * 65_536

    response = await api.client.post(f"/api/v1/jobs/{job['id']}/run", content=endless())

    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "image/png"])
async def test_a_wrong_content_type_is_refused(api: Api, media_type: str) -> None:
    response = await api.client.post("/api/v1/jobs", content=b"{}", headers={"content-type": media_type})

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/runs?cursor=zzz",
        "/api/v1/runs?limit=0",
        "/api/v1/runs?limit=201",
        "/api/v1/runs?status=upside-down",
        "/api/v1/runs/not-a-uuid",
        "/api/v1/targets?name=%00",
        "/api/v1/jobs?name=a%00b",
        "/api/v1/events?topics=weather",
    ],
)
async def test_a_bad_address_is_a_typed_problem(api: Api, path: str) -> None:
    response = await api.client.get(path)

    assert response.status_code == 422, response.text
    assert response.json()["code"] == "invalid"


@pytest.mark.parametrize(
    "path", ["/api/nope", "/api/v1/nope", "/api/v1/runs/", "/internal/decrypt/1", "/docs"]
)
async def test_what_does_not_exist_is_a_json_404(api: Api, path: str) -> None:
    response = await api.client.get(path)

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "not_found"


async def test_a_wrong_method_is_a_problem_too(api: Api) -> None:
    response = await api.client.patch("/api/v1/runs")

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


async def test_an_idempotency_key_must_be_plain_text(api: Api) -> None:
    job = await api.a_job()

    response = await api.client.post(
        f"/api/v1/jobs/{job['id']}/run", json={}, headers={"idempotency-key": "a b"}
    )

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_a_bug_is_answered_without_its_inside(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the password is swordfish")

    monkeypatch.setattr("gateway.targets.queries.list_targets", broken)

    response = await api.client.get("/api/v1/targets")

    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert "swordfish" not in response.text
