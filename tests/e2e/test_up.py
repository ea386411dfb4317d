"""`opsconductor up` in real processes: first start, second start, and everything that can be in its way."""

import os
import signal
import socket
from pathlib import Path

import httpx2
import pytest

from tests.support import embedded
from tests.support.eventually import PATIENCE, eventually
from tests.support.ports import free_port
from tests.support.up import START_SECONDS, Up, an_up

pytestmark = pytest.mark.timeout(400)

COUNTING = "[sample-linux-server] "


async def test_one_command_shows_live_output_and_finds_its_data_again() -> None:
    with an_up() as up:
        child = up.start()
        await eventually(lambda: child.said("▶ Sample Linux Countdown"), within=START_SECONDS)
        seen = await eventually(lambda: up.terminal if COUNTING in up.terminal else None)
        assert "Liftoff." not in seen  # live: it is still counting
        await up.serving()
        first = up.terminal
        assert "[sample-windows-server] Running" in first
        assert first.count("✔ succeeded") == 2
        password = up.password()
        left = list(up.processes())
        assert await up.stop() == 0
        assert not [pid for pid in left if embedded.running(pid)]

        up.start()
        await up.serving()
        assert up.terminal.count("✔ succeeded") == 2
        assert password not in up.terminal
        assert "admin reset-password" in up.terminal
        assert up.sign_in(password).code == 0
        refused = up.command("runs", "list")
        assert refused.code == 2
        assert "opsconductor password" in refused.err
        assert up.choose_password(password, "an-Unlikely-phrase-7301").code == 0
        assert len(_lines(up, "runs", "list")) == 1 + 4
        assert await up.stop(signal.SIGTERM) == 0

        refused = up.command("up", OPS_LEASE_SECONDS="0", OPS_SLOTS="-1")
        assert refused.code == 2
        assert "missing or unsafe" in refused.out
        assert "OPS_LEASE_SECONDS" in refused.out
        assert "OPS_SLOTS" in refused.out


def _lines(up: Up, *arguments: str) -> list[str]:
    ended = up.command(*arguments)
    assert ended.code == 0, ended
    return ended.out.splitlines()


async def test_the_terminal_says_how_to_go_on_and_every_command_in_it_works(running: Up) -> None:
    shown = [line.strip() for line in running.terminal.splitlines() if " -m cli " in line]
    here = f"OPS_DATA_DIR={running.data} "
    commands = [line.split(" -m cli ", 1)[1] for line in shown if line.startswith(("/", here))]
    assert len(commands) == 5
    assert [line.split()[-1] for line in shown if line.startswith(here)] == ["doctor"]
    for words in commands:
        if not words.startswith("login"):
            parts = [part.strip().strip('"') for part in _shell_words(words)]
            ended = running.command(*parts)
            assert ended.code == 0, (words, ended)


def _shell_words(text: str) -> list[str]:
    quoted = text.split('"')
    words = quoted[0].split()
    for index, part in enumerate(quoted[1:], 1):
        words += [part] if index % 2 else part.split()
    return words


async def test_a_second_up_on_the_same_data_is_refused_and_harms_nothing(running: Up) -> None:
    refused = running.command("up", OPS_PORT=str(free_port()))
    assert refused.code == 2
    assert "is in use by another OpsConductor" in refused.out
    assert "OPS_DATA_DIR" in refused.out
    async with httpx2.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        assert (await client.get(f"{running.url}/readyz")).status_code == 200


async def test_a_taken_port_is_named_with_the_way_out() -> None:
    with an_up() as up, socket.socket() as other:
        other.bind(("127.0.0.1", up.port))
        other.listen(1)
        refused = up.command("up")
        assert refused.code == 2
        assert f"Port {up.port}" in refused.out
        assert "OPS_PORT=" in refused.out
        assert "make up" in refused.out
        assert not (up.data / "postgres").exists()  # found before anything was started


async def test_only_the_workers_hold_the_private_key(running: Up) -> None:
    gateway = _environment(running.pid_of("-m gateway"))
    workers = _environment(running.pid_of("-m workers"))
    assert "OPS_SEAL_PRIVATE_KEY" not in gateway
    assert "seal-private" not in "\n".join(gateway.values())
    assert "OPS_SEAL_PUBLIC_KEY" in gateway
    assert "OPS_SEAL_PRIVATE_KEY" in workers
    assert not {"OPS_JWT_KEYS", "OPS_BOOTSTRAP_ADMIN_PASSWORD"} & set(workers)
    for words in ("-m infra.embedded.amqp", "-m infra.sandbox"):
        own = _environment(running.pid_of(words))
        assert not {"OPS_DATABASE_URL", "OPS_SEAL_PRIVATE_KEY", "OPS_JWT_KEYS"} & set(own), words


def _environment(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    return dict(entry.partition("=")[::2] for entry in entries if entry)


async def test_no_secret_is_in_any_log_or_on_the_terminal(running: Up) -> None:
    stored = [path.read_text() for path in (running.data / "secrets").iterdir()]
    secrets = {line.strip() for text in stored for line in text.splitlines() if "-----" not in line}
    public = (running.data / "secrets" / "seal-public.pem").read_text()
    secrets -= {line.strip() for line in public.splitlines()}
    logs = "".join(path.read_text(errors="replace") for path in (running.data / "logs").iterdir())
    assert logs
    for secret in secrets:
        assert secret not in logs + running.terminal
    assert running.password() not in logs
    assert running.terminal.count(running.password()) == 1


async def test_secrets_are_for_their_owner_only(running: Up) -> None:
    private = [
        running.data / "secrets",
        *(running.data / "secrets").iterdir(),
        running.data / "services.json",
    ]
    assert len(private) > 5
    assert not [path for path in private if path.stat().st_mode & 0o077]
    assert not (running.data / "secrets" / "admin-password").exists()  # shown, so not kept


async def test_a_process_that_is_killed_comes_back(running: Up) -> None:
    before = running.pid_of("-m workers")
    os.kill(before, signal.SIGKILL)
    await eventually(lambda: "workers is running again." in running.terminal, within=START_SECONDS)
    assert running.pid_of("-m workers") != before
    assert running.command("run", "Sample Windows Service Restart", "--follow").code == 0
