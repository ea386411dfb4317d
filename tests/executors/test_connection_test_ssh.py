"""A connection test over SSH: every stage passes on a good host, and fails once with its typed cause."""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import asyncssh
import pytest

from infra.blocking import BlockingPool
from infra.sandbox.ssh_host import SshHost
from tests.executors.ssh_exec.conftest import demo, host
from tests.support.ports import free_port
from tests.support.ssh import Reachable, real_sshd, sshd_is_installed
from workers.executor.steps.base import JumpHop, StepFault, TargetView
from workers.executor.testing.examine import Result, examine
from workers.executor.testing.ssh import facts_in

__all__ = ["demo", "host"]


@pytest.fixture
def pool() -> Iterator[BlockingPool]:
    pool = BlockingPool("test", 4)
    yield pool
    pool.close()


def _stages(result: Result) -> dict[str, str]:
    return {stage["stage"]: stage["status"] for stage in result.stages}


def _failed_at(result: Result) -> tuple[str, str]:
    [stage] = [stage for stage in result.stages if stage["status"] == "failed"]
    assert result.error == stage["error"]
    assert stage["error"]["message"]
    assert stage["error"]["hint"]
    reached = [stage["stage"] for stage in result.stages].index(stage["stage"])
    assert all(later["status"] == "skipped" for later in result.stages[reached + 1 :])
    return stage["stage"], stage["error"]["code"]


def _with(target: TargetView, **ssh: Any) -> TargetView:
    return replace(target, ssh=target.ssh.model_copy(update=ssh))


async def test_a_good_host_passes_every_stage_and_shows_itself(host: Reachable, pool: BlockingPool) -> None:
    result = await examine("ssh", host.target, host.credential, pool)

    assert result.error is None, result.error
    assert _stages(result) == dict.fromkeys(["dns", "tcp", "host_key", "auth", "command"], "ok")
    assert all(stage["ms"] >= 0 and stage["detail"] for stage in result.stages)
    [key] = result.presented["host_keys"]
    assert key["key"] == " ".join(host.host_key.split()[:2])
    assert key["fingerprint"] == asyncssh.import_public_key(host.host_key).get_fingerprint()
    assert key["pinned"] is True
    assert result.presented["addresses"] == ["127.0.0.1"]
    assert result.presented["banner"].startswith("SSH-2.0-")
    assert result.presented["auth_methods"]
    assert result.presented["system"]["os"].startswith("Linux")
    assert result.presented["system"]["user"] == host.username or host.username == "demo"
    assert result.presented["system"]["sudo"]


async def test_a_name_that_does_not_resolve_fails_the_first_stage(
    demo: Reachable, pool: BlockingPool
) -> None:
    target = replace(demo.target, hostname="no-such-host.invalid")

    result = await examine("ssh", target, demo.credential, pool)

    assert _failed_at(result) == ("dns", "name_unresolved")


async def test_a_closed_port_is_unreachable(demo: Reachable, pool: BlockingPool) -> None:
    result = await examine("ssh", _with(demo.target, port=free_port()), demo.credential, pool)

    assert _failed_at(result) == ("tcp", "unreachable")


async def test_an_unknown_key_is_shown_and_nothing_is_sent(
    demo: Reachable, pool: BlockingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def note(_host: object, user: str, _password: str) -> bool:
        tried.append(user)
        return True

    monkeypatch.setattr(SshHost, "lets_in", note)

    result = await examine("ssh", _with(demo.target, host_key=None), demo.credential, pool)

    assert _failed_at(result) == ("host_key", "host_key_unknown")
    [key] = result.presented["host_keys"]
    assert (key["key"], key["pinned"]) == (" ".join(demo.host_key.split()[:2]), False)
    assert tried == []


async def test_a_changed_key_is_named(demo: Reachable, pool: BlockingPool) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()

    result = await examine("ssh", _with(demo.target, host_key=other), demo.credential, pool)

    assert _failed_at(result) == ("host_key", "host_key_mismatch")
    assert result.presented["host_keys"][0]["fingerprint"] in result.error["message"]  # type: ignore[index]


async def test_a_wrong_password_is_tried_once_and_never_shown(
    demo: Reachable, pool: BlockingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def refuse(_host: object, _user: str, password: str) -> bool:
        tried.append(password)
        return False

    monkeypatch.setattr(SshHost, "lets_in", refuse)
    credential = replace(demo.credential, secrets={"password": "wrong-horse"})

    result = await examine("ssh", demo.target, credential, pool)

    assert _failed_at(result) == ("auth", "auth_rejected")
    assert result.fault is not None
    assert result.fault.cause.code == "auth_rejected"
    assert tried == ["wrong-horse"]
    assert "wrong-horse" not in repr(result)
    assert "password" in result.presented["auth_methods"]


async def test_without_a_credential_or_with_a_held_one_nobody_logs_in(
    demo: Reachable, pool: BlockingPool
) -> None:
    missing = await examine("ssh", demo.target, None, pool)
    held = await examine("ssh", demo.target, StepFault("credential_held", detail="rejected"), pool)

    assert _failed_at(missing) == ("auth", "credential_missing")
    assert _failed_at(held) == ("auth", "credential_held")
    assert held.error is not None
    assert held.error["code"] == "credential_held"


@pytest.mark.provokes("shell_unusable")
async def test_an_account_without_a_shell_fails_the_command(
    demo: Reachable, pool: BlockingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.executor.testing.ssh.FACTS", "echo This account is not available; exit 1")

    result = await examine("ssh", demo.target, demo.credential, pool)

    assert _failed_at(result) == ("command", "shell_unusable")
    assert "This account is not available" in result.error["message"]  # type: ignore[index]


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.provokes("no_answer_in_time")
async def test_a_port_that_swallows_everything_ends_within_the_limit(
    demo: Reachable, pool: BlockingPool, silent_port: int
) -> None:
    target = _with(demo.target, port=silent_port)

    result = await examine("ssh", target, demo.credential, pool, seconds=3.0)

    assert _failed_at(result) == ("host_key", "no_answer_in_time")


async def test_another_service_on_the_port_is_recognised(demo: Reachable, pool: BlockingPool) -> None:
    async def mail(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test ESMTP\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(mail, "127.0.0.1", 0) as server:
        target = _with(demo.target, port=server.sockets[0].getsockname()[1])
        result = await examine("ssh", target, demo.credential, pool)

    assert _failed_at(result) == ("host_key", "not_ssh")
    assert "220 mail.test ESMTP" in result.presented["banner"]


async def test_a_secret_that_a_machine_echoes_is_masked(
    demo: Reachable, pool: BlockingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.executor.testing.ssh.FACTS", "echo ops:os=sandbox-password")

    result = await examine("ssh", demo.target, demo.credential, pool)

    assert "sandbox-password" not in repr(result)
    assert result.presented["system"]["os"]


@pytest.mark.skipif(not sshd_is_installed(), reason="needs an OpenSSH server")
async def test_a_host_behind_a_jump_host_is_tested_through_it(demo: Reachable, pool: BlockingPool) -> None:
    async with real_sshd(pwd.getpwuid(os.getuid())) as bastion:
        way = JumpHop(target=replace(bastion.target, name="bastion"), credential=bastion.credential)
        good = await examine("ssh", replace(demo.target, jump=way), demo.credential, pool)
        closed = JumpHop(target=_with(way.target, port=free_port()), credential=way.credential)
        bad = await examine("ssh", replace(demo.target, jump=closed), demo.credential, pool)

        wrong = JumpHop(
            target=way.target, credential=replace(way.credential, secrets={"password": "not-this-one"})
        )
        rejected = await examine("ssh", replace(demo.target, jump=wrong), demo.credential, pool)

    assert _failed_at(rejected) == ("tcp", "jump_rejected")
    assert rejected.fault is not None
    assert rejected.fault.words["jump_host"] == "bastion"
    assert good.error is None, good.error
    assert [stage["status"] for stage in good.stages] == ["skipped", "ok", "ok", "ok", "ok"]
    assert good.presented["host_keys"][0]["pinned"] is True
    assert _failed_at(bad) == ("tcp", "unreachable")
    assert "jump host" in bad.error["message"]  # type: ignore[index]


def test_facts_are_found_between_what_a_profile_prints() -> None:
    assert facts_in("Welcome!\nops:os=Linux 6.1 x86_64\r\nops:odd\nops:shell=\n") == {
        "os": "Linux 6.1 x86_64",
        "shell": "",
    }
