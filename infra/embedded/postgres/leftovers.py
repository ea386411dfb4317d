"""A server of ours that outlived its supervisor: found, and stopped before the next one starts."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from infra.embedded.errors import ServiceFailed

PROC = Path("/proc")
STEPS = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
"""Fast shutdown, immediate shutdown, no choice; seconds to wait after each."""

EVERY_SECONDS = 0.02


async def stop_leftovers(cluster: Path) -> list[int]:
    """Stop every PostgreSQL process that works in `cluster`; returns their process ids.

    Only to be called by the one who holds the folder's lock. Afterwards a stale `postmaster.pid` is gone too:
    PostgreSQL would refuse to start if its number now belonged to another program, or to a zombie.
    """
    found = server_processes(cluster)
    for number, seconds in STEPS if found else ():
        _signal(server_processes(cluster), number)
        if await _all_gone(cluster, seconds):
            break
    if remaining := server_processes(cluster):
        raise ServiceFailed(f"PostgreSQL processes {remaining} still use {cluster} and cannot be stopped.")
    _remove_stale_pid_file(cluster)
    return found


def server_processes(cluster: Path) -> list[int]:
    """Process ids of the server of this cluster and of what it started, living ones only."""
    if not cluster.is_dir():
        return []
    if PROC.joinpath("self").exists():
        return [pid for pid in _all_pids() if _works_in(pid, cluster)]
    pid = _pid_in_file(cluster)
    return [pid] if pid is not None and _command_names(pid, cluster) else []


async def _all_gone(cluster: Path, seconds: float) -> bool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while server_processes(cluster):
        if loop.time() > deadline:
            return False
        await asyncio.sleep(EVERY_SECONDS)  # they are not our children: nobody tells us
    return True


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue  # ended meanwhile
        except PermissionError as error:
            raise ServiceFailed(
                f"A left-over PostgreSQL (process {pid}) of another user still runs. Stop it with "
                f"`kill -INT {pid}` as that user, then start again."
            ) from error


def _all_pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]


def _works_in(pid: int, cluster: Path) -> bool:
    """PostgreSQL's processes stay in their cluster's folder; a shell that happens to be there is not one."""
    process = PROC / str(pid)
    try:
        program = (process / "exe").readlink().name.removesuffix(" (deleted)")
        return program == "postgres" and (process / "cwd").samefile(cluster)
    except OSError:
        return False  # ended, a zombie, or another user's: not one that we started


def _command_names(pid: int, cluster: Path) -> bool:
    command = ["ps", "-o", "command=", "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return "postgres" in shown.stdout and str(cluster) in shown.stdout


def _pid_in_file(cluster: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        return int((cluster / "postmaster.pid").read_text().splitlines()[0])
    return None


def _remove_stale_pid_file(cluster: Path) -> None:
    (cluster / "postmaster.pid").unlink(missing_ok=True)
