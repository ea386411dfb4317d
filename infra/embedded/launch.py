"""The last steps of a new child before it becomes its program; run as a script, standard library only.

    launch.py PARENT_PID DEATH_SIGNAL UID GID PROGRAM [ARGUMENT…]

Gives up root for UID and GID (`-` keeps the user), asks the kernel for DEATH_SIGNAL when the parent dies
(Linux, prctl(2) PR_SET_PDEATHSIG: lost when the user changes, hence set afterwards), then calls exec.
A program of its own because the code between fork and exec must not run in a parent that has threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
CANNOT_EXECUTE = 126


def _give_up_root(uid: str, gid: str) -> None:
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))


def _die_with(parent: int, death_signal: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)  # it died before the kernel was asked


def main() -> None:
    parent, death_signal, uid, gid, *program = sys.argv[1:]
    _give_up_root(uid, gid)
    _die_with(int(parent), int(death_signal))
    try:
        os.execv(program[0], program)  # noqa: S606 (no shell is what we want)
    except OSError as error:
        sys.stderr.write(f"cannot run {program[0]}: {error.strerror}\n")
        sys.exit(CANNOT_EXECUTE)


if __name__ == "__main__":
    main()
