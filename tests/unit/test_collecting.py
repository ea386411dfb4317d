"""A process does not look through what it has loaded again and again."""

import os
import subprocess
import sys

_PROGRAM = """
import asyncio, gc
from infra.collecting import spare_what_stays

loaded = [[number] for number in range(100_000)]
asyncio.run(spare_what_stays())
print(len(gc.get_objects()))
ring = []
ring.append(ring)
del ring
print(gc.collect())
rounds = gc.get_stats()[0]["collections"]
kept = [[number] for number in range(50_000)]
print(gc.get_stats()[0]["collections"] - rounds)
"""


def test_a_full_collection_leaves_out_what_was_loaded_and_garbage_is_seldom_looked_for() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )

    looked_at, found, rounds = map(int, ran.stdout.split())
    assert looked_at < 10_000
    assert found >= 1
    assert rounds <= 10
