"""`python -m tests.load`: measure, print a table with ratios to a baseline of the same run."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.load import rows
from tests.load.report import Row, as_table, save
from tests.load.rows import Bench, Measurement
from tests.load.surroundings import chosen_pair, passable

LIMIT_SECONDS = 120.0
MEASUREMENTS: dict[str, Measurement] = {
    measurement.__name__: measurement
    for measurement in (rows.runs, rows.steps, rows.latency, rows.idle, rows.embedded)
}


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


def last_words(folder: Path) -> str:
    """The ends of the logs of what was measured."""
    logs = sorted(folder.glob("*.log"))
    return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-2_000:]}" for log in logs)


async def measure(names: list[str], seconds: float) -> tuple[list[Row], bool]:
    """The rows of these measurements, and whether each could be taken."""
    found: list[Row] = []
    complete = True
    with tempfile.TemporaryDirectory(prefix="ops-load-", ignore_cleanup_errors=True) as place:
        folder = passable(Path(place))
        async with chosen_pair(say) as pair:
            bench = Bench(pair=pair, folder=folder, seconds=seconds, note=say)
            for name in names:
                began = time.monotonic()
                try:
                    async with asyncio.timeout(LIMIT_SECONDS):
                        found += [row async for row in MEASUREMENTS[name](bench)]
                except Exception as error:
                    complete = False
                    say(f"{name}: {type(error).__name__}: {error}")
                    say(last_words(folder))
                say(f"{name}: {time.monotonic() - began:.0f} s")
    return found, complete


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=list(MEASUREMENTS), help="one measurement; repeatable"
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one round under load")
    parser.add_argument("--json", type=Path, help="write the rows to this file, too")
    options = parser.parse_args()
    found, complete = asyncio.run(measure(options.only or list(MEASUREMENTS), options.seconds))
    sys.stdout.write(as_table(found) + "\n")
    if options.json:
        save(found, options.json)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
