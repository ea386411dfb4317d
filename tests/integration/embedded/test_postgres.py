import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from infra.embedded.errors import DataFolderInUse, DataFolderUnusable, PortTaken, ServiceFailed
from infra.embedded.postgres import EmbeddedPostgres, binaries
from infra.embedded.postgres.leftovers import server_processes
from infra.embedded.restarts import RestartPolicy
from infra.embedded.supervisor import Supervisor
from tests.support.embedded import AS_ROOT, NOBODY, running, up
from tests.support.eventually import eventually

root_only = pytest.mark.skipif(not AS_ROOT, reason="about what root has to take care of")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and parent-death signals")


@asynccontextmanager
async def started(server: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    """The server running, and a connection by the URL it promised."""
    url = await server.start()
    try:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""), ssl=False)
        try:
            yield connection
        finally:
            await connection.close()
    finally:
        await server.stop()


@contextmanager
def as_server_user(folder: Path, *command: str) -> Iterator[int]:
    """A process of the user that the server of this folder runs as."""
    owner = (folder / "cluster").stat()
    identity: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid} if AS_ROOT else {}
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **identity)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def uids_groups_and_program(pid: int) -> tuple[set[str], list[str], Path]:
    process = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return set(status["Uid"].split()), status["Groups"].split(), (process / "exe").readlink()


def full_disk(folder: Path, size: str) -> list[str]:
    """Prefix of a command that sees a file system of this size at `folder`, and nobody else does."""
    mount = f"mount -t tmpfs -o size={size} tmpfs '{folder}' && exec \"$@\""
    private = [shutil.which("unshare") or "unshare", "--mount", "--", "sh", "-c", mount, "sh"]
    if subprocess.run([*private, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("root may not mount here")
    return private


@contextmanager
def zombie() -> Iterator[int]:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    yield process.pid
    process.wait()


async def test_a_second_start_finds_the_data_again_in_a_path_with_spaces_and_umlauts(
    place: Path, port: int, descriptors: None
) -> None:
    folder = place / "Größe & Maß 100%" / "数据"
    async with started(EmbeddedPostgres(folder, port)) as connection:
        await connection.execute("CREATE TABLE kept (word text)")
        await connection.execute("INSERT INTO kept VALUES ('Grüße')")

    async with started(EmbeddedPostgres(folder, port)) as connection:
        assert await connection.fetchval("SELECT word FROM kept") == "Grüße"


async def test_text_is_utf8_in_code_point_order_and_the_safe_settings_are_on(data: Path, port: int) -> None:
    async with started(EmbeddedPostgres(data, port)) as connection:
        for name, value in {
            "server_encoding": "UTF8", "data_checksums": "on", "fsync": "on", "synchronous_commit": "on",
            "jit": "off", "wal_level": "minimal", "idle_in_transaction_session_timeout": "1min",
            "listen_addresses": "127.0.0.1",
        }.items():  # fmt: skip
            assert await connection.fetchval(f"SHOW {name}") == value, name
        ordered = await connection.fetchval(
            "SELECT string_agg(w, '' ORDER BY w) FROM unnest('{ä,b,A}'::text[]) w"
        )
        assert ordered == "Abä"
        assert await connection.fetchval("SELECT upper('ä')") == "Ä"
        assert not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")


@pytest.mark.parametrize("user", ["opsconductor", "postgres"])
@pytest.mark.parametrize("password", ["wrong", ""])
async def test_nobody_gets_in_without_the_password(data: Path, port: int, user: str, password: str) -> None:
    async with started(EmbeddedPostgres(data, port)):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(
                host="127.0.0.1", port=port, user=user, password=password, database="opsconductor", ssl=False
            )


async def test_the_password_is_kept_where_only_its_owner_reads_it(data: Path, port: int) -> None:
    server = EmbeddedPostgres(data, port)
    url = urlsplit(await server.start())
    await server.stop()

    file = data / "password"
    assert (stat.S_IMODE(file.stat().st_mode), file.stat().st_uid) == (0o600, os.geteuid())
    assert file.read_text() == url.password
    assert url.path == "/opsconductor"


@linux_only
async def test_a_killed_server_is_started_again_with_every_committed_row(data: Path, port: int) -> None:
    server, notes = EmbeddedPostgres(data, port), list[str]()
    policy = RestartPolicy(first_delay=0.01)
    async with Supervisor(note=notes.append, policy=policy) as supervisor:
        await supervisor.start(server)
        url = f"postgresql://opsconductor:{(data / 'password').read_text()}@127.0.0.1:{port}/opsconductor"
        connection = await asyncpg.connect(url, ssl=False)
        await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
        assert server.pid is not None

        os.kill(server.pid, signal.SIGKILL)

        await eventually(lambda: "postgres is running again." in notes)
        connection.terminate()
        connection = await asyncpg.connect(url, ssl=False)
        assert await connection.fetchval("SELECT n FROM kept") == 7
        await connection.close()
    assert notes[0] == "postgres ended (killed by SIGKILL). Starting it again in 0.01 s."


@pytest.mark.parametrize("impostor", ["bystander", "zombie"])
async def test_a_stale_pid_file_does_not_prevent_the_next_start(data: Path, port: int, impostor: str) -> None:
    async with started(EmbeddedPostgres(data, port)):
        left = (data / "cluster/postmaster.pid").read_text().splitlines()
    with as_server_user(data, "sleep", "600") if impostor == "bystander" else zombie() as pid:
        (data / "cluster/postmaster.pid").write_text("\n".join([str(pid), *left[1:], ""]))

        async with started(EmbeddedPostgres(data, port)) as connection:
            assert await connection.fetchval("SELECT 1") == 1
        assert impostor == "zombie" or running(pid)


@linux_only
async def test_two_live_supervisors_on_one_folder_are_refused(data: Path, port: int) -> None:
    with up("postgres", str(data), str(port)) as first:
        server_pid = first.told("pid")

        with pytest.raises(DataFolderInUse, match=f"process {first.process.pid}"):
            await EmbeddedPostgres(data, port).start()

        assert running(server_pid)
        first.process.send_signal(signal.SIGTERM)
        assert first.told("reason") == "SIGTERM"
        assert first.process.wait() == 0


@linux_only
async def test_a_killed_supervisor_leaves_no_server_and_no_obstacle(data: Path, port: int) -> None:
    with up("postgres", str(data), str(port)) as first:
        first.told("pid")
        first.process.kill()
        first.process.wait()

        async with started(EmbeddedPostgres(data, port)) as connection:
            assert await connection.fetchval("SELECT 1") == 1

        # Without a next start it ends by itself just as well.
        with up("postgres", str(data), str(port)) as second:
            server_pid = second.told("pid")
            second.process.kill()
            await eventually(lambda: not running(server_pid))
    await eventually(lambda: not server_processes(data / "cluster"))


@linux_only
async def test_a_server_that_outlived_its_supervisor_is_stopped_before_the_next_start(
    data: Path, port: int
) -> None:
    async with started(EmbeddedPostgres(data, port)):
        pass
    programs = binaries.programs(data / "program" if AS_ROOT else binaries.site_folder())
    orphan = [str(programs / "postgres"), "-D", str(data / "cluster"), "-p", str(port), "-k", ""]
    with as_server_user(data, *orphan) as pid:
        await eventually((data / "cluster/postmaster.pid").exists)

        async with started(EmbeddedPostgres(data, port)) as connection:
            assert await connection.fetchval("SELECT 1") == 1
            assert not running(pid)


async def test_a_taken_port_is_named_together_with_the_setting(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"Port {taken} on 127.0.0.1.*OPS_DATABASE_URL"):
            await EmbeddedPostgres(place / "data", taken).start()


async def test_data_of_another_major_version_is_left_alone(place: Path, port: int) -> None:
    (place / "data/cluster").mkdir(parents=True)
    (place / "data/cluster/PG_VERSION").write_text("16\n")

    with pytest.raises(DataFolderUnusable, match=r"written by PostgreSQL 16.*version 18"):
        await EmbeddedPostgres(place / "data", port).start()


async def test_a_server_that_cannot_start_shows_its_last_lines(data: Path, port: int) -> None:
    async with started(EmbeddedPostgres(data, port)):
        pass
    settings = data / "cluster/postgresql.conf"
    good = settings.read_text()
    settings.write_text(good + "no_such_setting = 1\n")

    with pytest.raises(ServiceFailed, match=r"did not start \(exit code 1\)[\s\S]*no_such_setting"):
        await EmbeddedPostgres(data, port).start()
    settings.write_text(good)


@linux_only
async def test_a_first_start_that_was_killed_halfway_is_begun_anew(place: Path, port: int) -> None:
    half = place / "data/cluster.new"
    with up("postgres", str(place / "data"), str(port)) as first:
        await eventually((half / "PG_VERSION").exists)
        first.process.kill()
        first.process.wait()
    assert not (place / "data/cluster").exists()

    async with started(EmbeddedPostgres(place / "data", port)) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    assert not half.exists()


@root_only
async def test_root_runs_the_server_as_an_unprivileged_user_who_cannot_change_the_programs(
    data: Path, port: int
) -> None:
    async with started(EmbeddedPostgres(data, port)) as connection:
        server_pid = await connection.fetchval("SELECT pg_backend_pid()")
        uids, groups, program = uids_groups_and_program(server_pid)

    assert (uids, groups) == ({str((data / "cluster").stat().st_uid)}, [])
    assert "0" not in uids
    assert program.is_relative_to(data / "program")
    for path in [program, *program.parents[:6]]:
        assert (path.stat().st_uid, path.stat().st_mode & 0o022) == (0, 0), path


@root_only
def test_a_damaged_copy_of_the_programs_is_replaced(place: Path) -> None:
    site, copy = binaries.site_folder(), place / "program"
    server = binaries.programs(binaries.copied(site, copy)) / "postgres"
    server.write_bytes(b"half a program")

    binaries.copied(site, copy)

    assert binaries.inventory(copy) == binaries.inventory(site)
    assert subprocess.run([server, "--version"], capture_output=True, check=True).stdout.endswith(b" 18.4\n")


@root_only
async def test_a_folder_below_one_that_only_root_enters_is_refused_by_name(place: Path, port: int) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(DataFolderUnusable, match=rf"cannot enter {closed}, .*OPS_DATA_DIR.*chmod o\+x"):
        await EmbeddedPostgres(closed / "data", port).start()


@root_only
async def test_an_ordinary_user_has_it_in_the_home_folder(place: Path, port: int) -> None:
    home = place / "home"
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY, NOBODY)

    with up("postgres", "-", str(port), uid=NOBODY, env={"HOME": str(home)}) as first:
        assert running(first.told("pid"))
        first.process.send_signal(signal.SIGINT)
        assert first.told("reason") == "SIGINT"

    folder = home / ".local/share/opsconductor/postgres"
    assert {path.stat().st_uid for path in folder.iterdir()} == {NOBODY}
    assert not (folder / "program").exists()


@root_only
async def test_root_can_serve_an_ordinary_users_folder_and_give_it_back(place: Path, port: int) -> None:
    folder = place / "data"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    async with started(EmbeddedPostgres(folder, port)) as connection:
        await connection.execute("CREATE TABLE kept ()")

    with up("postgres", str(folder), str(port), uid=NOBODY, env={}) as again:
        assert running(again.told("pid"))
        again.process.send_signal(signal.SIGTERM)
        assert again.told("reason") == "SIGTERM"
    assert {path.stat().st_uid for path in folder.rglob("*")} == {NOBODY}


@root_only
async def test_a_folder_without_the_right_to_write_is_said_plainly(place: Path, port: int) -> None:
    with up("postgres", str(place / "data"), str(port), uid=NOBODY, env={}) as refused:
        assert "cannot be used: Permission denied" in refused.told("error")
        assert refused.process.wait() == 1


@root_only
@linux_only
@pytest.mark.parametrize(
    ("size", "message"), [("8m", "cannot be used: No space left"), ("40m", "could not create")]
)
def test_a_full_disk_is_said_plainly(place: Path, port: int, size: str, message: str) -> None:
    with up("postgres", str(place / "data"), str(port), before=full_disk(place, size)) as full:
        error = full.told("error")

    assert message in error
    assert "No space left on device" in error
