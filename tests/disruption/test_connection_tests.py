"""Connection tests, holds and seats in a running system: workers die, messages are lost, passwords wrong."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from infra.sandbox.ssh_host import SshHost
from infra.sandbox.windows import WindowsHost
from tests.support.eventually import eventually
from tests.support.system import System
from tests.support.watching import assert_all_is_well

pytestmark = [
    pytest.mark.disruption,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="session"),
]

PASSWORD = "the-Right-one-5512"


class CountingHost(SshHost):
    """A host in this process that counts logins, and the sessions open at once."""

    def __init__(self, programs: Path) -> None:
        super().__init__("ops", PASSWORD, programs=programs)
        self.tried: list[str] = []
        self._own_programs = programs

    def put_program(self, name: str, script: str) -> None:
        """From now on this stands in for the machine's own."""
        program = self._own_programs / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def lets_in(self, username: str, password: str) -> bool:
        self.tried.append(password)
        return super().lets_in(username, password)


@pytest_asyncio.fixture(loop_scope="session")
async def host(tmp_path: Path) -> AsyncIterator[CountingHost]:
    host = CountingHost(tmp_path)
    await host.start()
    yield host
    await host.stop()


@asynccontextmanager
async def _silent() -> AsyncIterator[int]:
    """A port that lets everybody in and never says a word."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _made(system: System, path: str, **body: Any) -> dict[str, Any]:
    answer = await system.api.post(f"/api/v1/{path}", json=body)
    assert answer.status_code in (200, 201, 202), answer.text
    return dict(answer.json())


async def _credential(system: System, name: str, password: str) -> str:
    made = await _made(system, "credentials", name=name, type="ssh", username="ops", password=password)
    return str(made["id"])


async def _target(system: System, host: CountingHost, name: str, credential: str, **ssh: Any) -> str:
    settings = {"port": host.port, "host_key": host.host_key_public} | ssh
    body = {"os": "linux", "hostname": "127.0.0.1", "credential_id": credential, "ssh": settings}
    return str((await _made(system, "targets", name=name, **body))["id"])


async def _tested(system: System, target: str, query: str = "") -> dict[str, Any]:
    answer = await system.api.post(f"/api/v1/targets/{target}/test?wait=20{query}", timeout=30)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_test_of_a_real_host_answers_while_its_caller_waits(
    system: System, host: CountingHost
) -> None:
    await system.started("executor")
    target = await _target(
        system, host, "first-use", await _credential(system, "first", PASSWORD), host_key=None
    )

    unknown = await _tested(system, target)
    assert unknown["error"]["code"] == "host_key_unknown"
    [key] = unknown["presented"]["host_keys"]
    pinned = await system.api.post(
        f"/api/v1/targets/{target}/pin", json={"test_id": unknown["id"], "host_key": key["fingerprint"]}
    )
    assert pinned.json()["ssh"]["host_key"] == host.host_key_public
    known = await _tested(system, target)

    assert (known["status"], known["error"]) == ("succeeded", None)
    assert [stage["status"] for stage in known["stages"]] == ["ok"] * 5
    used = "SELECT count(*) FROM audit WHERE action = 'credential.use' AND detail->>'test_id' = $1"
    assert await system.value(used, known["id"]) == 1


async def test_a_test_whose_worker_is_killed_is_begun_again_by_another(system: System) -> None:
    first = await system.started("executor")
    async with _silent() as port:
        target = str(
            (
                await _made(
                    system, "targets", name="silent", os="linux", hostname="127.0.0.1", ssh={"port": port}
                )
            )["id"]
        )
        test = await _made(system, f"targets/{target}/test")

        async def begun() -> bool:
            return bool(
                await system.value("SELECT tries FROM connection_tests WHERE id::text = $1", test["id"])
            )

        await eventually(begun, every=0.05)
        first.kill()
        await system.started("executor")
        answer = await system.api.get(f"/api/v1/connection-tests/{test['id']}?wait=30", timeout=40)

    assert answer.json()["status"] == "failed", answer.text
    assert answer.json()["error"]["code"] in ("not_ssh", "unreachable", "no_answer_in_time")
    assert await system.value("SELECT tries FROM connection_tests WHERE id::text = $1", test["id"]) == 2


async def test_a_test_whose_message_was_lost_is_found_by_the_look(system: System, host: CountingHost) -> None:
    credential = await _credential(system, "lost-message", PASSWORD)
    target = await _target(system, host, "lost-message", credential)
    test = await _made(system, f"targets/{target}/test")
    await system.rows("DELETE FROM outbox")

    await system.started("executor")
    answer = await system.api.get(f"/api/v1/connection-tests/{test['id']}?wait=20", timeout=30)

    assert answer.json()["status"] == "succeeded", answer.text


async def test_a_wrong_password_is_tried_on_a_machine_once_however_many_tasks_wait(
    system: System, host: CountingHost
) -> None:
    await system.started("executor")
    credential = await _credential(system, "wrong", "a-Wrong-one-0000")
    target = await _target(system, host, "rejecting", credential, max_concurrent=3)
    step = {"type": "ssh.exec", "command": "true", "needs": [], "on_failure": "continue"}
    run = await system.run(await system.job(*[step] * 50, targets=["rejecting"]))

    assert await system.until_ended([run]) == {"failed": 1}
    assert len(host.tried) == 1, "one executor tries once, although three sessions are allowed"
    codes = dict(
        await system.rows(
            """SELECT error->>'code', count(*)::int FROM tasks
                WHERE run_id = $1 AND error IS NOT NULL GROUP BY 1""",
            run,
        )
    )
    assert codes == {"auth_rejected": 1, "credential_held": 49}
    tried = len(host.tried)

    held = await _tested(system, target)
    assert held["error"]["code"] == "credential_held"
    assert len(host.tried) == tried
    forced = await _tested(system, target, "&even_if_held=1")
    assert forced["error"]["code"] == "auth_rejected"
    assert len(host.tried) == tried + 1
    shown = (await system.api.get(f"/api/v1/credentials/{credential}")).json()
    assert [hold["target"] for hold in shown["holds"]] == ["rejecting"]
    assert shown["held_reason"] is None, "one machine does not stop a fleet"

    await _made(system, f"credentials/{credential}/rotate", password=PASSWORD)
    again = await system.run(await system.job(step, targets=["rejecting"]))
    assert await system.until_ended([again]) == {"succeeded": 1}
    await assert_all_is_well(system)


async def test_two_executors_try_a_wrong_password_on_a_machine_once_and_on_two_of_eight(
    system: System, host: CountingHost
) -> None:
    for _ in range(2):
        await system.started("executor")
    credential = await _credential(system, "wrong-for-two", "a-Wrong-one-0003")
    names = [f"of-two-{number}" for number in range(8)]
    for name in names:
        await _target(system, host, name, credential, max_concurrent=3)
    step = {"type": "ssh.exec", "command": "true", "needs": [], "on_failure": "continue"}
    one = await system.run(await system.job(*[step] * 20, targets=names[:1]))
    assert await system.until_ended([one]) == {"failed": 1}
    assert len(host.tried) == 1, "one machine is asked once, whoever asks"
    await _made(system, f"credentials/{credential}/rotate", password="a-Wrong-one-0004")

    run = await system.run(await system.job(*[step] * 3, targets=names))

    assert await system.until_ended([run]) == {"failed": 1}
    assert len(host.tried) == 1 + 2, "eight machines are not asked at once, and two rejections are enough"
    codes = await system.rows(
        "SELECT error->>'code', count(*)::int FROM tasks WHERE run_id = $1 GROUP BY 1", run
    )
    assert dict(codes) == {"auth_rejected": 2, "credential_held": 22}
    assert await system.value("SELECT count(*) FROM first_logins WHERE credential_id = $1", credential) == 0


async def test_testing_a_fleet_tries_a_wrong_password_on_two_machines_whoever_tests(
    system: System, host: CountingHost
) -> None:
    for _ in range(2):
        await system.started("executor")
    credential = await _credential(system, "wrong-for-tests", "a-Wrong-one-0005")
    targets = [await _target(system, host, f"tested-{number}", credential) for number in range(12)]

    codes = await _tested_together(system, targets)

    assert codes == {"auth_rejected": 2, "credential_held": 10}
    assert len(host.tried) == 2


async def test_a_fleet_whose_password_is_right_is_tested_side_by_side(
    system: System, host: CountingHost
) -> None:
    """Each of the tests but the first waits on the host for another two to be there."""
    await system.started("executor")
    credential = await _credential(system, "right-for-tests", PASSWORD)
    targets = [await _target(system, host, f"together-{number}", credential) for number in range(8)]
    host.put_program(
        "uname",
        'echo >>"$HOME/there"; until [ "$(wc -l <"$HOME/there")" -ge 3 ]; do sleep .05; done; echo sandbox',
    )

    assert await _tested_together(system, targets) == {None: 8}


async def test_a_jump_host_is_asked_once_with_a_wrong_password_whoever_wants_to_go_through(
    system: System, host: CountingHost
) -> None:
    for _ in range(2):
        await system.started("executor")
    wrong = await _credential(system, "wrong-on-the-way", "a-Wrong-one-0006")
    right = await _credential(system, "right-behind", PASSWORD)
    await _target(system, host, "gate", wrong)
    behind = {"jump_host": {"target": "gate"}}
    names = [f"behind-{number}" for number in range(6)]
    targets = [await _target(system, host, name, right, **behind) for name in names]
    step = {"type": "ssh.exec", "command": "true", "needs": [], "on_failure": "continue"}
    run = await system.run(await system.job(step, step, targets=names))

    codes = await _tested_together(system, targets)

    assert await system.until_ended([run]) == {"failed": 1}
    assert host.tried == ["a-Wrong-one-0006"]
    assert set(codes) <= {"jump_rejected", "jump_missing"}
    shown = (await system.api.get(f"/api/v1/credentials/{wrong}")).json()
    assert [hold["target"] for hold in shown["holds"]] == ["gate"]


async def test_copies_keep_to_the_same_rule(system: System, host: CountingHost) -> None:
    for _ in range(2):
        await system.started("executor")
    credential = await _credential(system, "wrong-for-copies", "a-Wrong-one-0007")
    await _target(system, host, "no-copies", credential, max_concurrent=5)
    step = {"type": "ssh.copy", "content_base64": "", "dest": "f", "needs": [], "on_failure": "continue"}
    run = await system.run(await system.job(*[step] * 20, targets=["no-copies"]))

    assert await system.until_ended([run]) == {"failed": 1}
    assert len(host.tried) == 1


async def _tested_together(system: System, targets: list[str]) -> dict[str | None, int]:
    """How often tests of these targets in one request ended with each cause; None is success."""
    body = await _made(system, "targets/test", ids=targets)

    async def ended() -> list[dict[str, Any]]:
        answer = await system.api.get(
            "/api/v1/connection-tests", params={"batch_id": body["batch_id"], "limit": 100}
        )
        tests: list[dict[str, Any]] = answer.json()["items"]
        return tests if {test["status"] for test in tests} <= {"succeeded", "failed"} else []

    tests = await eventually(ended, within=60, every=0.2)
    return dict(Counter(test["error"]["code"] if test["error"] else None for test in tests))


async def test_a_wrong_password_is_tried_on_a_windows_machine_once_however_many_tasks_wait(
    system: System,
) -> None:
    windows = WindowsHost("win-01", "ops", PASSWORD)
    await windows.start()
    await system.started("executor")
    made = {"name": "wrong-there", "type": "winrm", "username": "ops", "password": "a-Wrong-one-0002"}
    credential = (await _made(system, "credentials", **made))["id"]
    winrm = {"scheme": "http", "port": windows.http_port, "transport": "ntlm", "max_concurrent": 4}
    body = {"os": "windows", "hostname": "127.0.0.1", "credential_id": credential, "winrm": winrm}
    await _made(system, "targets", name="rejecting-windows", **body)
    step = {"type": "winrm.exec", "command": "hostname", "needs": [], "on_failure": "continue"}
    run = await system.run(await system.job(*[step] * 50, targets=["rejecting-windows"]))

    assert await system.until_ended([run]) == {"failed": 1}
    await windows.stop()

    assert [accepted for _, _, accepted in windows.logins] == [False]
    count = "SELECT count(*) FROM tasks WHERE run_id = $1 AND error->>'code' = 'credential_held'"
    assert await system.value(count, run) == 49


async def test_a_password_that_two_machines_reject_is_tried_on_no_third(
    system: System, host: CountingHost
) -> None:
    await system.started("executor")
    credential = await _credential(system, "wrong-everywhere", "a-Wrong-one-0001")
    for name in ("reject-1", "reject-2", "reject-3"):
        await _target(system, host, name, credential)
    step = {"type": "ssh.exec", "command": "true"}
    for name in ("reject-1", "reject-2", "reject-3"):
        run = await system.run(await system.job(step, targets=[name]))
        await system.until_ended([run])

    assert len(host.tried) == 2
    error = await system.value("SELECT error->>'code' FROM tasks WHERE run_id = $1", run)
    assert error == "credential_held"
    assert (await system.api.get(f"/api/v1/credentials/{credential}")).json()["held_reason"]

    await _made(system, f"credentials/{credential}/release", reason="the account was unlocked")
    run = await system.run(await system.job(step, targets=["reject-3"]))
    await system.until_ended([run])
    assert len(host.tried) == 3


async def test_three_executors_keep_within_the_sessions_of_one_account(
    system: System, host: CountingHost
) -> None:
    executors = [await system.started("executor") for _ in range(3)]
    credential = await _credential(system, "crowded", PASSWORD)
    await _target(system, host, "crowded", credential, max_concurrent=3)
    counter = host.home / "counter"
    counter.mkdir()
    command = f"touch {counter}/$$; ls {counter} | wc -l >>{host.home}/most; sleep 0.2; rm {counter}/$$"
    step = {"type": "ssh.exec", "command": command, "needs": []}
    run = await system.run(await system.job(*[step] * 30, targets=["crowded"]))

    async def waits() -> bool:
        answer = await system.api.get(f"/api/v1/runs/{run}/steps")
        waiting = {item["waiting_for"] for item in answer.json()["items"]}
        return "a free session on crowded: ops uses 3 of 3 (max_concurrent)" in waiting

    await eventually(waits, every=0.05)
    executors[0].kill()
    assert await system.until_ended([run]) == {"succeeded": 1}
    most = [int(line) for line in (host.home / "most").read_text().split()]
    assert len(most) == 30
    assert max(most) <= 3

    async def empty() -> bool:
        return not await system.value("SELECT count(*) FROM seats")

    await eventually(empty, every=0.2)
    await assert_all_is_well(system)
