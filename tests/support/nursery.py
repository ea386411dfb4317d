"""Worker processes by the dozen: forked from one that has imported everything, so a start costs little."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.processes import ROOT, clean_environment


class Nursery:
    """Makes real worker processes and kills them. `close` kills what is left."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = dict(environment)
        self._folder = folder
        self._made = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=clean_environment(),
            text=True,
            start_new_session=True,
        )

    def worker(self, role: str) -> int:
        """The process id of a new worker; what it says goes to a file of its own."""
        self._made += 1
        log = self._folder / f"{role}-kept-{self._made}.log"
        return int(self._asked({"role": role, "environment": self._environment, "log": str(log)}))

    def kill(self, pid: int) -> None:
        """SIGKILL, and gone for good."""
        self._asked({"kill": pid})

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(20)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _asked(self, order: Mapping[str, object]) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        assert answer, "the nursery has ended"
        return answer


def _live(role: str, environment: Mapping[str, str], log: str) -> None:
    """What a forked child does until it is killed."""
    from workers.__main__ import main  # noqa: PLC0415  imported before the fork

    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.setsid()
    os.environ.update(environment)
    code = 1
    try:
        code = main([role])
    finally:
        os._exit(code)


def _serve() -> None:
    """One order a line; nothing here may start a thread or a loop before the fork."""
    from workers.executor import role as _imported  # noqa: F401, PLC0415

    children: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "kill" in order:
            pid = int(order["kill"])
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            children.discard(pid)
        else:
            pid = os.fork()
            if pid == 0:
                _live(order["role"], order["environment"], order["log"])
            children.add(pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    _serve()
