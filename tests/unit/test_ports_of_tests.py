"""Tests that run at once, also those of other checkouts, never get in each other's way over a port."""

import random
import subprocess
import sys

import pytest

from infra.embedded.ports import is_free
from tests.support import ports
from tests.support.processes import ROOT

COUNT = 20
HOLD = f"""
import random, sys
from tests.support import ports
random.seed(0)
print(*(ports.free_port() for _ in range({COUNT})), flush=True)
sys.stdin.read()
"""


def test_two_processes_that_look_at_the_same_moment_in_the_same_order_get_different_ports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        theirs = {int(port) for port in one.stdout.readline().split()}
        monkeypatch.setattr(random, "randint", lambda *_: min(theirs))
        ours = {ports.free_port() for _ in range(COUNT)}
        one.communicate("")

    assert (len(theirs), len(ours), theirs & ours) == (COUNT, COUNT, set())
    assert all(ports.FIRST <= port <= ports.LAST and is_free(port) for port in ours)
