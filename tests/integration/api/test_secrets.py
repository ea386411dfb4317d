"""Secrets go in sealed and never come out."""

from contracts.tables.base import DEFAULT_PROJECT_ID
from infra.sealing import Sealed, bound_to_credential, bound_to_run
from tests.support.api import PRIVATE_PEM, Api
from tests.support.database import everything_as_text

SECRETS = ["S3cret-passw0rd-of-a-machine", "S3cret-key-BEGIN", "S3cret-passphrase", "S3cret-parameter"]


def hidden_in(text: str) -> list[str]:
    """Which secrets stand in `text`, plainly or as hex."""
    return [secret for secret in SECRETS if secret in text or secret.encode().hex() in text]


async def test_no_secret_is_ever_answered_or_stored_in_the_clear(api: Api) -> None:
    post = api.client.post
    answers = [
        await post(
            "/api/v1/credentials",
            json={"name": "win", "type": "winrm", "username": "adm", "password": SECRETS[0]},
            headers={"idempotency-key": "c1"},
        ),
        await post(
            "/api/v1/credentials",
            json={
                "name": "ssh",
                "type": "ssh",
                "username": "root",
                "private_key": SECRETS[1],
                "passphrase": SECRETS[2],
            },
        ),
        await post("/api/v1/credentials", json={"name": "win", "type": "winrm", "password": SECRETS[0]}),
        await post("/api/v1/credentials", json={"name": "x", "type": "winrm", "token": SECRETS[0]}),
        await post("/api/v1/credentials", json={"name": "x", "type": "winrm", "password": [SECRETS[0]]}),
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 409, 422, 422]
    path = f"/api/v1/credentials/{answers[0].json()['id']}"
    answers += [await post(f"{path}/rotate", json={"password": SECRETS[0]}), await api.client.get(path)]
    job = await api.a_job(parameters={"word": {"type": "secret"}, "plain": "x"})
    run_path = f"/api/v1/jobs/{job['id']}/run"
    answers += [
        await post(run_path, json={"parameters": {"word": SECRETS[3]}}, headers={"idempotency-key": "r"}),
        await post(run_path, json={"parameters": {"word": SECRETS[3], "nobody": SECRETS[3]}}),
    ]
    run = await api.client.get(answers[-2].headers["location"])
    answers += [run, await api.client.get("/api/v1/runs"), await api.client.get("/api/v1/credentials")]

    assert run.json()["parameters"] == {"word": "•••", "plain": "x"}
    assert [hidden_in(answer.text) for answer in answers] == [[]] * len(answers)
    assert hidden_in(await everything_as_text(api.engine)) == []
    assert hidden_in("".join(str(row) for row in api.relay.rows)) == []


async def test_executors_can_open_what_was_sealed_where_it_belongs(api: Api) -> None:
    body = {"name": "win", "type": "winrm", "username": "adm", "password": SECRETS[0]}
    credential = (await api.client.post("/api/v1/credentials", json=body)).json()
    job = await api.a_job(parameters={"word": {"type": "secret"}})
    run_id = await api.a_run(job, parameters={"word": SECRETS[3]})
    columns = "key_id, wrapped_key, nonce, ciphertext"

    [stored] = await api.rows(f"SELECT {columns}, credential_id FROM credential_versions")
    [parameter] = await api.rows(f"SELECT {columns}, name FROM run_secrets")

    place = bound_to_credential(DEFAULT_PROJECT_ID, stored.credential_id, 1)
    assert str(stored.credential_id) == credential["id"]
    assert api.ring.open(Sealed(*stored[:4]), bound_to=place) == {"password": SECRETS[0]}
    opened = api.ring.open(Sealed(*parameter[:4]), bound_to=bound_to_run(run_id, "word"))
    assert opened == {"word": SECRETS[3]}


async def test_a_rerun_takes_its_secrets_over_sealed_unless_others_are_given(api: Api) -> None:
    run_id = await api.a_run(
        await api.a_job(parameters={"word": {"type": "secret"}}), parameters={"word": SECRETS[3]}
    )

    second = await api.client.post(f"/api/v1/runs/{run_id}/rerun")
    third = await api.client.post(f"/api/v1/runs/{second.json()['id']}/rerun")
    given = await api.client.post(f"/api/v1/runs/{run_id}/rerun", json={"parameters": {"word": "other"}})

    assert [answer.status_code for answer in (second, third, given)] == [202, 202, 202]
    columns = "key_id, wrapped_key, nonce, ciphertext, COALESCE(sealed_for, run_id) AS sealed_for"
    for answer, word in ((second, SECRETS[3]), (third, SECRETS[3]), (given, "other")):
        [row] = await api.rows(
            f"SELECT {columns} FROM run_secrets WHERE run_id = :id", id=answer.json()["id"]
        )
        assert api.ring.open(Sealed(*row[:4]), bound_to=bound_to_run(row.sealed_for, "word")) == {
            "word": word
        }
    shown = (await api.client.get(f"/api/v1/runs/{third.json()['id']}")).json()
    assert (shown["secrets"], shown["parameters"]) == (["word"], {"word": "•••"})


async def test_a_secret_that_the_newest_version_asks_for_must_be_given(api: Api) -> None:
    job = await api.a_job()
    run_id = await api.a_run(job)
    newer = job["definition"] | {"parameters": {"word": {"type": "secret"}}}
    await api.client.put(f"/api/v1/jobs/{job['id']}", json=newer)

    without = await api.client.post(f"/api/v1/runs/{run_id}/rerun", json={"version": "newest"})

    assert without.json()["errors"] == [{"field": "parameters.word", "reason": "is required"}]


async def test_a_credential_in_use_is_kept_and_its_users_are_named(api: Api) -> None:
    body = {"name": "win", "type": "winrm", "username": "adm", "password": SECRETS[0]}
    credential = (await api.client.post("/api/v1/credentials", json=body)).json()
    path = f"/api/v1/credentials/{credential['id']}"
    target = await api.a_target("web-1", credential_id=credential["id"])

    refused = await api.client.delete(path)
    await api.client.delete(f"/api/v1/targets/{target['id']}")
    deleted = await api.client.delete(path)

    assert (refused.status_code, refused.json()["code"]) == (409, "still_in_use")
    assert "web-1" in refused.json()["detail"]
    assert deleted.status_code == 204
    assert (await api.client.get(path)).status_code == 404


async def test_new_secrets_make_a_new_version_and_release_a_held_credential(api: Api) -> None:
    body = {"name": "win", "type": "winrm", "username": "adm", "password": SECRETS[0]}
    credential = (await api.client.post("/api/v1/credentials", json=body)).json()
    path = f"/api/v1/credentials/{credential['id']}"
    await api.execute("UPDATE credentials SET held_reason = 'auth_rejected'")

    renamed = (await api.client.put(path, json={"name": "windows"})).json()
    rotated = (await api.client.post(f"{path}/rotate", json={"password": "S3cret-other-one"})).json()

    assert (renamed["name"], renamed["version"], renamed["username"]) == ("windows", 1, "adm")
    assert (rotated["version"], rotated["held_reason"]) == (2, None)
    assert await api.count("credential_versions") == 2
    assert PRIVATE_PEM


async def test_a_certificate_needs_its_key_and_stays_sealed_with_it(api: Api) -> None:
    post = api.client.post
    body = {"name": "cert", "type": "certificate", "private_key": SECRETS[1], "passphrase": SECRETS[2]}

    refused = await post("/api/v1/credentials", json=body)
    keyless = await post(
        "/api/v1/credentials", json={"name": "c", "type": "certificate", "certificate": "PEM"}
    )
    stored = await post("/api/v1/credentials", json=body | {"certificate": "PEM"})

    assert [refused.status_code, keyless.status_code, stored.status_code] == [422, 422, 201]
    assert [problem["field"] for problem in refused.json()["errors"]] == ["certificate"]
    assert [problem["field"] for problem in keyless.json()["errors"]] == ["private_key"]
    assert hidden_in(refused.text + keyless.text + stored.text) == []
