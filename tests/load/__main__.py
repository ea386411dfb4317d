"""`python -m tests.load [ROW …]`: measure, print a table with ratios to a baseline of the same run.

Every row has a time after which it is given up; what it had found by then is in the table. Progress goes to
stderr.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.load import copying, fleet, live, pages, rows, ssh, winrm
from tests.load.report import Row, as_line, as_table, save
from tests.load.rows import Bench, Measurement
from tests.load.surroundings import chosen_pair, passable

LIMIT_SECONDS = 300.0
BEAT_SECONDS = 15.0
"""Between two signs of life."""
MEASUREMENTS: dict[str, Measurement] = {
    measurement.__name__: measurement
    for measurement in (
        rows.runs,
        rows.steps,
        rows.latency,
        rows.idle,
        rows.embedded,
        ssh.ssh,
        fleet.fleet,
        winrm.winrm,
        live.live,
        pages.pages,
        copying.copies,
    )
}
BEGAN = time.monotonic()


def say(text: str) -> None:
    sys.stderr.write(f"[{time.monotonic() - BEGAN:4.0f} s] {text}\n")
    sys.stderr.flush()


def last_words(folder: Path) -> str:
    """The ends of the logs of what was measured."""
    logs = sorted(folder.glob("*.log"))
    return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-2_000:]}" for log in logs)


async def measure(names: list[str], seconds: float) -> tuple[list[Row], bool]:
    """The rows of these measurements, and whether each could be taken whole."""
    found: list[Row] = []
    complete = True
    with tempfile.TemporaryDirectory(prefix="ops-load-", ignore_cleanup_errors=True) as place:
        folder = passable(Path(place))
        async with chosen_pair(say) as pair:
            bench = Bench(pair=pair, folder=folder, seconds=seconds, note=say)
            for name in names:
                complete &= await _one(name, bench, found)
    return found, complete


async def _one(name: str, bench: Bench, found: list[Row]) -> bool:
    """Add the rows of one measurement as they come; whether it came to its end."""
    began = time.monotonic()
    say(f"{name}: begins, and has {LIMIT_SECONDS:.0f} s")
    beat = asyncio.create_task(_beat(name, began))
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            async for row in MEASUREMENTS[name](bench):
                found.append(row)
                say(f"{name}: {as_line(row)}")
    except Exception as error:
        say(f"{name}: given up, {type(error).__name__}: {error}\n{last_words(bench.folder)}")
        return False
    finally:
        beat.cancel()
    say(f"{name}: {time.monotonic() - began:.0f} s")
    return True


async def _beat(name: str, began: float) -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        say(f"{name}: … for {time.monotonic() - began:.0f} s")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(MEASUREMENTS)}; else all")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one round under load")
    parser.add_argument("--json", type=Path, help="write the rows to this file, too")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(MEASUREMENTS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}")
    found, complete = asyncio.run(measure(options.rows or list(MEASUREMENTS), options.seconds))
    sys.stdout.write(as_table(found) + "\n")
    if options.json:
        save(found, options.json)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
