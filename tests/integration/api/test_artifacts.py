"""Stored files over HTTP: bytes in, the same bytes out, and nothing half-written in between."""

import base64
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect

from contracts.access.roles import Role
from contracts.limits import BODY_BYTES, PIECE_BYTES
from gateway.artifacts.ranges import wanted_range
from infra.artifact_pulls import allow_pull
from infra.artifacts import ArtifactStore
from tests.support.api import Api

URL = "/api/v1/artifacts"
CONTENT = os.urandom(2 * PIECE_BYTES + 12_345)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


async def _upload(api: Api, content: Any = CONTENT, *, name: str = "a.bin", **options: Any) -> Any:
    return await api.client.post(URL, params={"name": name}, content=content, **options)


async def _chunks() -> AsyncIterator[bytes]:
    for start in range(0, len(CONTENT), 100_000):
        yield CONTENT[start : start + 100_000]


@pytest.mark.parametrize("content", [CONTENT, _chunks(), b""], ids=["with length", "chunked", "empty"])
async def test_what_was_uploaded_comes_back_byte_for_byte(api: Api, content: Any) -> None:
    expected = CONTENT if content != b"" else b""

    created = await _upload(
        api, content, name="größer & 'so'.zip", headers={"content-type": "application/zip"}
    )
    artifact = created.json()
    got = await api.client.get(created.headers["location"])
    meta = await api.client.get(f"{URL}/{artifact['id']}/meta")

    assert created.status_code == 201, created.text
    assert (got.status_code, got.content) == (200, expected)
    assert artifact["sha256"] == hashlib.sha256(expected).hexdigest()
    assert (artifact["size"], artifact["content_type"]) == (len(expected), "application/zip")
    assert meta.json() == artifact
    assert got.headers["etag"] == f'"{artifact["sha256"]}"'
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert "gr%C3%B6%C3%9Fer%20%26%20%27so%27.zip" in got.headers["content-disposition"]
    assert await api.rows(
        "SELECT 1 FROM audit WHERE action = 'artifacts.create' AND detail->>'size' = :size",
        size=str(len(expected)),
    )


@pytest.mark.parametrize(
    ("header", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10),
        (f"bytes={PIECE_BYTES - 5}-{PIECE_BYTES + 4}", 206, PIECE_BYTES - 5, PIECE_BYTES + 5),
        (f"bytes={2 * PIECE_BYTES}-", 206, 2 * PIECE_BYTES, len(CONTENT)),
        ("bytes=-100", 206, len(CONTENT) - 100, len(CONTENT)),
        (f"bytes={len(CONTENT)}-", 416, 0, 0),
        ("bytes=0-1,5-6", 200, 0, len(CONTENT)),
        ("lines=1-2", 200, 0, len(CONTENT)),
    ],
)
async def test_a_range_is_answered_with_exactly_its_bytes(
    api: Api, header: str, status: int, start: int, end: int
) -> None:
    path = (await _upload(api)).headers["location"]

    got = await api.client.get(path, headers={"range": header})

    assert got.status_code == status
    if status == 416:
        assert got.headers["content-range"] == f"bytes */{len(CONTENT)}"
    else:
        assert got.content == CONTENT[start:end]
        assert got.headers["content-length"] == str(end - start)
    if status == 206:
        assert got.headers["content-range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"


@given(size=st.integers(0, 50), first=st.integers(0, 60), last=st.integers(0, 60))
def test_a_range_lies_within_the_file_and_says_what_was_asked(size: int, first: int, last: int) -> None:
    part = wanted_range(f"bytes={first}-{last}", size)

    wanted = [place for place in range(size) if first <= place <= last]
    if last < first:
        assert part is None
    else:
        assert part is not None
        assert list(range(*part)) == wanted


async def test_an_unchanged_file_is_not_sent_again(api: Api) -> None:
    path = (await _upload(api)).headers["location"]

    same = await api.client.get(path, headers={"if-none-match": f'"{SHA256}"'})
    stale = await api.client.get(path, headers={"if-range": '"other"', "range": "bytes=0-1"})

    assert (same.status_code, same.content) == (304, b"")
    assert stale.content == CONTENT


def _limited(api: Api, most: int) -> None:
    object.__setattr__(api.deps, "artifacts", ArtifactStore(api.engine, max_bytes=most))


async def test_a_file_over_the_limit_is_refused_and_nothing_of_it_is_seen(api: Api) -> None:
    _limited(api, 2 * PIECE_BYTES)

    declared = await _upload(api)
    chunked = await _upload(api, _chunks())

    for refused in (declared, chunked):
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
        assert "OPS_ARTIFACT_MAX_BYTES" in refused.json()["detail"]
    assert (await api.client.get(URL)).json()["items"] == []
    assert await api.rows("SELECT 1 FROM artifacts WHERE state <> 'deleted'") == []


async def test_only_uploads_may_be_larger_than_a_json_body(api: Api) -> None:
    body = b" " * (BODY_BYTES + 1)

    assert (await _upload(api, body)).status_code == 201
    assert (await api.client.post("/api/v1/targets", content=body)).status_code == 413
    assert (await api.client.post(f"{URL}/", content=body)).status_code == 413


@pytest.mark.parametrize("how", ["query", "content-digest", "digest"])
async def test_a_file_that_does_not_fit_its_hash_is_refused(api: Api, how: str) -> None:
    def said(content: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(content)
        encoded = base64.b64encode(digest.digest()).decode()
        if how == "query":
            return {"params": {"name": "a.bin", "sha256": digest.hexdigest().upper()}}
        form = f"sha-256=:{encoded}:" if how == "content-digest" else f"SHA-256={encoded}"
        return {"params": {"name": "a.bin"}, "headers": {how: form}}

    right = await api.client.post(URL, content=CONTENT, **said(CONTENT))
    wrong = await api.client.post(URL, content=CONTENT, **said(CONTENT[:-1]))

    assert (right.status_code, wrong.status_code) == (201, 422)
    assert wrong.json()["errors"][0]["field"] == "sha256"
    assert len((await api.client.get(URL)).json()["items"]) == 1


@pytest.mark.parametrize("headers", [{"digest": "md5=abc"}, {"content-digest": "sha-256=:short:"}])
async def test_a_digest_that_cannot_be_checked_is_refused(api: Api, headers: dict[str, str]) -> None:
    assert (await _upload(api, headers=headers)).status_code == 422


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", "line\nbreak", "x" * 256])
async def test_a_name_that_could_be_a_path_is_refused(api: Api, name: str) -> None:
    refused = await _upload(api, name=name)

    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["name"]


async def test_an_upload_sent_twice_with_one_key_is_stored_once(api: Api) -> None:
    headers = {"idempotency-key": "u-1"}

    first = await _upload(api, headers=headers)
    again = await _upload(api, headers=headers)
    other = await _upload(api, b"other bytes", headers=headers)

    assert again.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert len((await api.client.get(URL)).json()["items"]) == 1


async def test_a_deleted_file_is_gone_at_once_and_told_in_the_audit(api: Api) -> None:
    artifact = (await _upload(api)).json()
    path = f"{URL}/{artifact['id']}"

    deleted = await api.client.delete(path)

    assert deleted.status_code == 204
    for again in (api.client.get(path), api.client.get(f"{path}/meta"), api.client.delete(path)):
        assert (await again).status_code == 404
    assert (await api.client.get(URL)).json()["items"] == []
    assert await api.rows("SELECT 1 FROM audit WHERE action = 'artifacts.delete'")


async def test_lists_go_page_by_page_newest_first_and_by_run(api: Api) -> None:
    names = [(await _upload(api, b"x", name=f"f{i}")).json()["name"] for i in range(3)]

    first = (await api.client.get(URL, params={"limit": 2})).json()
    second = (await api.client.get(URL, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    of_a_run = (await api.client.get(URL, params={"run_id": str(uuid4())})).json()

    assert [item["name"] for item in first["items"] + second["items"]] == names[::-1]
    assert second["next_cursor"] is None
    assert of_a_run["items"] == []


async def test_another_project_neither_sees_nor_removes_a_file(api: Api) -> None:
    artifact = (await _upload(api)).json()
    other = uuid4()
    await api.execute("INSERT INTO projects (id, name) VALUES (:id, :name)", id=other, name=str(other))
    await api.execute("UPDATE artifacts SET project_id = :other", other=other)

    path = f"{URL}/{artifact['id']}"
    answers = [
        await api.client.get(path),
        await api.client.get(f"{path}/meta"),
        await api.client.delete(path),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert (await api.client.get(URL)).json()["items"] == []
    await api.execute("DELETE FROM artifacts")
    await api.execute("DELETE FROM projects WHERE id = :id", id=other)


async def test_viewers_may_look_but_not_put_anything_there(api: Api) -> None:
    path = (await _upload(api)).headers["location"]
    await api.sign_in_as(Role.VIEWER)

    assert (await api.client.get(path)).status_code == 200
    assert (await _upload(api)).status_code == 403
    assert (await api.client.delete(path)).status_code == 403


async def test_a_broken_off_upload_leaves_nothing_to_see(api: Api) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield CONTENT[:-1]
        raise ClientDisconnect

    answer = await _upload(api, broken())

    assert (answer.status_code, answer.json()["code"]) == (400, "upload_broke_off")
    assert await api.rows("SELECT 1 FROM artifacts WHERE state <> 'deleted'") == []
    assert (await api.client.get(URL)).json()["items"] == []


async def test_an_expired_file_is_not_found(api: Api) -> None:
    path = (await _upload(api)).headers["location"]
    await api.execute("UPDATE artifacts SET expires_at = now() - interval '1 second'")

    assert (await api.client.get(path)).status_code == 404
    assert (await api.client.get(URL)).json()["items"] == []


@pytest.mark.parametrize("src", ["step:nobody", "step:use"])
async def test_a_job_cannot_name_a_step_it_does_not_have_as_a_source(api: Api, src: str) -> None:
    copy = {"type": "winrm.copy", "dest": r"C:\Temp\a.bin"}
    steps = [
        copy | {"name": "fetch", "direction": "download", "src": r"C:\a.bin"},
        copy | {"name": "fine", "src": "step:fetch"},
        copy | {"name": "use", "src": src},
    ]

    refused = await api.client.post("/api/v1/jobs", json={"name": "copies", "steps": steps})

    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["steps.2.src"]


async def test_a_pull_address_needs_no_sign_in_and_is_good_once(api: Api) -> None:
    artifact = (await _upload(api)).json()
    token = await allow_pull(
        api.deps.artifacts, UUID(artifact["id"]), task_id=uuid4(), within=timedelta(hours=1)
    )
    late = await allow_pull(api.deps.artifacts, UUID(artifact["id"]), task_id=uuid4(), within=timedelta(0))
    del api.client.headers["authorization"]

    first = await api.client.get(f"{URL}/pull/{token}", headers={"range": "bytes=10-"})
    again = await api.client.get(f"{URL}/pull/{token}")

    assert (first.status_code, first.content) == (206, CONTENT[10:])
    assert again.status_code == 404
    assert (await api.client.get(f"{URL}/pull/{late}")).status_code == 404
    assert (await api.client.get(f"{URL}/{artifact['id']}")).status_code == 401
