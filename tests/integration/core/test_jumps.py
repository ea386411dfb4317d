"""The way to a target comes with the claim: its hops in order, their credentials sealed and audited."""

from typing import Any

import pytest

from contracts.causes import CAUSES
from contracts.runs.states import TaskState
from contracts.tables.base import DEFAULT_PROJECT_ID
from infra.ids import uuid7
from infra.sealing import PrivateRing, PublicSealer, bound_to_credential, generate_pair
from tests.support.engine import Engine
from workers.executor import holding, jumps, sealed
from workers.executor.holds import put_on_hold
from workers.executor.ledger import _rejected
from workers.executor.steps.base import StepFault
from workers.executor.vault import SealedVault
from workers.executor.verdicts import Ended


async def a_hop(engine: Engine, name: str, sealer: PublicSealer, *, behind: str | None = None) -> None:
    credential, target = uuid7(), uuid7()
    sealed = sealer.seal(
        {"password": f"pw-{name}"}, bound_to=bound_to_credential(DEFAULT_PROJECT_ID, credential, 1)
    )
    values: dict[str, Any] = {
        "credential": credential,
        "target": target,
        "project": DEFAULT_PROJECT_ID,
        "name": name,
        "key_id": sealed.key_id,
        "wrapped_key": sealed.wrapped_key,
        "nonce": sealed.nonce,
        "ciphertext": sealed.ciphertext,
        "ssh": "{}" if behind is None else f'{{"jump_host": {{"target": "{behind}"}}}}',
    }
    await engine.execute(
        """INSERT INTO credentials (id, project_id, name, type, username, current_version, created_by)
           VALUES (:credential, :project, :name, 'ssh', :name, 1, 'test')""",
        **{name: values[name] for name in ("credential", "project", "name")},
    )
    await engine.execute(
        """INSERT INTO credential_versions
                  (credential_id, version, key_id, wrapped_key, nonce, ciphertext, created_by)
           VALUES (:credential, 1, :key_id, :wrapped_key, :nonce, :ciphertext, 'test')""",
        **{name: values[name] for name in ("credential", "key_id", "wrapped_key", "nonce", "ciphertext")},
    )
    await engine.execute(
        """INSERT INTO targets (id, project_id, name, os, hostname, credential_id, ssh, created_by)
           VALUES (:target, :project, :name, 'linux', :name, :credential, CAST(:ssh AS jsonb), 'test')""",
        **{name: values[name] for name in ("target", "project", "name", "credential", "ssh")},
    )


async def claimed(engine: Engine) -> holding.Claimed:
    worker = await engine.worker()
    [task] = await engine.claim(worker)
    async with engine.sessions.begin() as session:
        [task] = await jumps.added_to(session, [task])
        await sealed.audit_credential_use(session, [task])
    return task


async def a_way(engine: Engine, *hops: str) -> SealedVault:
    """Each hop behind the next; the task's target is the first of them."""
    private, public = generate_pair()
    sealer = PublicSealer(public)
    for name, behind in zip(hops, [*hops[1:], None], strict=True):
        await a_hop(engine, name, sealer, behind=behind)
    run = await engine.run({"type": "ssh.exec", "command": "id"}, targets=[hops[0]])
    await engine.start(run)
    return SealedVault(engine.sessions, PrivateRing([private]))


async def test_hops_come_nearest_first_each_opened_with_its_own_credential(engine: Engine) -> None:
    vault = await a_way(engine, "web", "near", "far")

    near, far = await vault.jumps(await claimed(engine))

    assert [near.target.name, far.target.name] == ["near", "far"]
    assert (near.target.jump, far.target.jump) == (far, None)
    assert [hop.credential.secrets["password"] for hop in (near, far)] == ["pw-near", "pw-far"]


async def test_every_credential_that_is_opened_on_the_way_is_audited(engine: Engine) -> None:
    await a_way(engine, "web", "near", "far")

    await claimed(engine)

    rows = await engine.rows(
        """SELECT c.name, a.detail->>'jump_host' FROM audit AS a JOIN credentials AS c ON c.id = a.subject_id
            WHERE a.action = 'credential.use' ORDER BY a.id"""
    )
    assert rows == [("web", None), ("near", "near"), ("far", "far")]


async def test_a_task_without_a_jump_host_asks_nothing_more(engine: Engine) -> None:
    await a_way(engine, "web")
    worker = await engine.worker()
    tasks = await engine.claim(worker)

    async with engine.sessions.begin() as session:
        with engine.statements() as sent:
            assert await jumps.added_to(session, tasks) == tasks

    assert sent == []


@pytest.mark.provokes("jump_missing")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE targets SET archived_at = now() WHERE name = 'near'", "no target named near"),
        ("UPDATE targets SET credential_id = NULL WHERE name = 'near'", "near has no credential"),
        ("UPDATE credentials SET held_reason = 'locked' WHERE name = 'near'", "on hold"),
        (
            """UPDATE targets SET ssh = '{"jump_host": {"target": "near"}}' WHERE name = 'near'""",
            "more than 3 in a row",
        ),
    ],
)
async def test_a_way_that_was_broken_later_is_said_so(engine: Engine, change: str, said: str) -> None:
    vault = await a_way(engine, "web", "near")
    await engine.execute(change)

    with pytest.raises(StepFault) as fault:
        await vault.jumps(await claimed(engine))

    assert fault.value.cause.code == "jump_missing"
    assert said in str(fault.value.words["detail"])


async def test_what_a_jump_host_rejected_is_held_and_not_the_credential_of_the_target(engine: Engine) -> None:
    await a_way(engine, "web", "near")
    task = await claimed(engine)
    ended = Ended(
        state=TaskState.FAILED,
        cause=CAUSES["jump_rejected"],
        words={"host": "near", "user": "near", "detail": "no", "jump_host": "near"},
    )

    rejected = _rejected(task, ended)

    assert rejected is not None
    assert rejected.credential_id == task.jumps[0]["credential_id"]
    async with engine.sessions.begin() as session:
        await put_on_hold(session, [rejected])
    assert await engine.rows(
        "SELECT c.name FROM credential_holds AS h JOIN credentials AS c ON c.id = h.credential_id"
    ) == [("near",)]
