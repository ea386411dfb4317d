"""Real supervisors in real processes, for tests that kill them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65_534
AS_ROOT = os.geteuid() == 0


def running(pid: int) -> bool:
    """Whether the process exists and is no zombie: not every container reaps its orphans."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def interpreter_for(uid: int | None) -> str:
    """A Python of our version that this user may execute: ours may lie where only root enters."""
    ours = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, shutil.which(ours, path=os.defpath)):
        if candidate and (uid is None or _can_run(candidate, uid)):
            return candidate
    pytest.skip(f"user {uid} may execute no {ours} here")


def _can_run(program: str, uid: int) -> bool:
    try:
        return (
            subprocess.run([program, "-c", ""], user=uid, group=uid, extra_groups=[], check=False).returncode
            == 0
        )
    except PermissionError:
        return False


class Up:
    """One running `tests/support/up_embedded.py`: prints a JSON object a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def told(self, key: str) -> Any:
        """The value of the next message that has this key."""
        assert self.process.stdout is not None
        before: list[str] = []
        for line in self.process.stdout:
            message = json.loads(line)
            if key in message:
                return message[key]
            before.append(line)
        raise AssertionError(f"ended with {self.process.wait()} and no {key!r}: {before}")


@contextmanager
def up(
    *arguments: str, uid: int | None = None, env: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> Iterator[Up]:
    """Run the program with these arguments, as another user when given; killed when the block is left."""
    program = [interpreter_for(uid), str(ROOT / "tests/support/up_embedded.py"), *arguments]
    path = os.pathsep.join([str(ROOT), *(entry for entry in sys.path if entry.endswith("site-packages"))])
    identity: dict[str, Any] = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
    process = subprocess.Popen(
        [*before, *program],
        stdout=subprocess.PIPE, text=True, start_new_session=True, cwd="/",
        env={**(env or os.environ), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}, **identity,
    )  # fmt: skip
    try:
        yield Up(process)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
