import asyncio
import os
import signal
import sys

import pytest

from infra.embedded.errors import ServiceFailed
from infra.embedded.restarts import RestartPolicy
from infra.embedded.services import Command, CommandService
from infra.embedded.supervisor import Stopping, Supervisor
from tests.support.embedded import running, up
from tests.support.eventually import PATIENCE, eventually

QUICK = RestartPolicy(first_delay=0.01)
SLEEPS = "import time; print('up'); time.sleep(600)"
IGNORES_TERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"
NOTES_INT = f"import signal; signal.signal(signal.SIGINT, lambda *_: print('interrupted')); {SLEEPS}"
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and parent-death signals")


class Lines(list[str]):
    """What the services of a test wrote."""

    def add(self, name: str, line: str) -> None:
        self.append(f"{name}: {line}")


def python(name: str, code: str, lines: Lines, *, grace: float = 5.0) -> CommandService:
    """A child that is ready once it has written something."""

    async def ready() -> bool:
        return any(line.startswith(f"{name}: ") for line in lines)

    command = Command(name=name, argv=[sys.executable, "-uc", code], env={}, ready=ready, grace=grace)
    return CommandService(command, on_line=lines.add)


def waiting(name: str, *argv: str, ready_within: float = 30.0) -> CommandService:
    """A child that is never ready."""
    never = asyncio.Event().wait
    command = Command(name=name, argv=argv, env={}, ready=never, ready_within=ready_within)
    return CommandService(command, on_line=Lines().add)


async def test_services_stop_in_reverse_order_when_told_to() -> None:
    notes, lines = list[str](), Lines()
    async with Supervisor(note=notes.append) as supervisor:
        for name in ("first", "second", "third"):
            await supervisor.start(python(name, SLEEPS, lines))

        os.kill(os.getpid(), signal.SIGTERM)
        reason = await supervisor.run()

    assert notes[1:] == ["third stopped.", "second stopped.", "first stopped."]
    assert (reason.text, reason.exit_code) == ("SIGTERM", 0)


async def test_a_child_that_dies_is_started_again_and_its_exit_is_told() -> None:
    notes, lines = list[str](), Lines()
    child = python("worker", SLEEPS, lines)
    async with Supervisor(note=notes.append, policy=QUICK) as supervisor:
        await supervisor.start(child)
        before = child.pid
        assert before is not None

        os.kill(before, signal.SIGKILL)

        await eventually(lambda: "worker is running again." in notes)
        assert child.pid not in {before, None}
    assert notes[0] == "worker ended (killed by SIGKILL). Starting it again in 0.01 s."


async def test_a_child_that_keeps_dying_ends_everything_with_its_reason() -> None:
    notes, lines = list[str](), Lines()
    async with Supervisor(note=notes.append, policy=QUICK) as supervisor:
        other = python("other", SLEEPS, lines)
        await supervisor.start(other)
        flaky = Command(name="flaky", argv=[sys.executable, "-c", "raise SystemExit(7)"], env={})
        await supervisor.start(CommandService(flaky, on_line=lines.add))

        reason = await supervisor.run()

    assert reason.exit_code == 1
    assert "flaky ended 5 times within 60 s, last: " in reason.text
    assert "exit code 7" in reason.text
    assert other.pid is None
    assert [note for note in notes if "flaky" in note and "again in" in note][-1].endswith("again in 0.08 s.")


async def test_a_child_that_never_gets_ready_shows_what_it_said() -> None:
    complains = waiting("broken", sys.executable, "-c", "import sys; sys.exit('no such table: runs')")
    async with Supervisor(note=Lines().append) as supervisor:
        with pytest.raises(ServiceFailed, match=r"before it was ready \(exit code 1\)[\s\S]*no such table"):
            await supervisor.start(complains)


async def test_a_program_that_is_not_there_is_named() -> None:
    absent = waiting("absent", "/nowhere/program")
    with pytest.raises(ServiceFailed, match=r"exit code 126[\s\S]*/nowhere/program: No such file"):
        await absent.start()


async def test_a_child_that_is_not_ready_in_time_is_stopped() -> None:
    slow = waiting("slow", sys.executable, "-c", SLEEPS, ready_within=0.2)

    with pytest.raises(ServiceFailed, match=r"slow was not ready after 0\.2 s"):
        await slow.start()
    assert slow.pid is None


async def test_a_child_that_ignores_the_request_to_end_is_killed_after_its_grace() -> None:
    child = python("stubborn", IGNORES_TERM, Lines(), grace=0.1)
    await child.start()
    pid = child.pid
    assert pid is not None

    await child.stop()

    assert await child.wait() == "killed by SIGKILL"
    assert not running(pid)


async def test_what_a_dead_child_had_started_itself_ends_too() -> None:
    lines = Lines()
    start = f"p = subprocess.Popen([sys.executable, '-c', {SLEEPS!r}])"
    code = f"import subprocess, sys; {start}; print(p.pid); p.wait()"
    child = python("parent", code, lines)
    await child.start()
    grandchild = int(lines[0].split()[1])
    assert child.pid is not None

    os.kill(child.pid, signal.SIGKILL)
    await child.wait()

    await eventually(lambda: not running(grandchild))


async def test_a_second_signal_does_not_wait_for_the_grace() -> None:
    lines = Lines()
    async with Supervisor(note=Lines().append) as supervisor:
        await supervisor.start(python("stubborn", IGNORES_TERM, lines, grace=600))
        os.kill(os.getpid(), signal.SIGINT)
        ending = asyncio.create_task(supervisor.run())
        await asyncio.sleep(0)

        os.kill(os.getpid(), signal.SIGINT)

        assert (await ending).text == "SIGINT"


async def test_a_signal_during_the_start_calls_it_off() -> None:
    slow = waiting("slow", sys.executable, "-c", SLEEPS)
    async with Supervisor(note=Lines().append) as supervisor:
        starting = asyncio.create_task(supervisor.start(slow))
        await eventually(lambda: slow.pid is not None)

        os.kill(os.getpid(), signal.SIGTERM)

        with pytest.raises(Stopping, match="slow was not started: SIGTERM"):
            await starting
        assert slow.pid is None


async def test_every_line_arrives_long_ones_in_pieces_and_without_bad_bytes() -> None:
    lines = Lines()
    code = "import os; os.write(2, b'bad \\xff\\n' + b'x' * 200_000 + b'\\nlast without newline')"
    child = python("chatty", code, lines)
    with pytest.raises(ServiceFailed):
        await asyncio.wait_for(_start_and_wait(child), PATIENCE)

    assert lines[0] == "chatty: bad \ufffd"
    assert lines[-1] == "chatty: last without newline"
    assert sum(line.count("x") for line in lines) == 200_000


async def _start_and_wait(child: CommandService) -> None:
    await child.start()
    raise ServiceFailed(await child.wait())


@linux_only
async def test_a_killed_supervisor_leaves_no_process_behind() -> None:
    with up("children", SLEEPS, IGNORES_TERM) as supervisor:
        pids = [supervisor.told("pid"), supervisor.told("pid")]
        assert all(running(pid) for pid in pids)

        supervisor.process.kill()

        await eventually(lambda: not any(running(pid) for pid in pids))


@linux_only
async def test_ctrl_c_in_the_terminal_reaches_the_supervisor_only() -> None:
    with up("children", NOTES_INT) as supervisor:
        pid = supervisor.told("pid")
        assert os.getsid(pid) == pid

        os.killpg(supervisor.process.pid, signal.SIGINT)  # what a terminal does

        messages = supervisor.process.communicate()[0]
    assert '"reason": "SIGINT"' in messages
    assert "interrupted" not in messages
    assert supervisor.process.returncode == 0
