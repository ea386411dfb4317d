"""Rows of the table, and the table."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement beside its baseline. `wanted` bounds the ratio, or our own value where it says so."""

    name: str
    unit: str
    ours: float
    baseline: float | None = None
    wanted: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.baseline if self.baseline else None


def middle(values: Sequence[float]) -> float:
    return float(median(values))


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def as_table(rows: Sequence[Row]) -> str:
    """A Markdown table."""
    lines = ["| what | ours | limit | ratio | wanted | |", "|---|---:|---:|---:|---|---|"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join(lines)


def as_line(row: Row) -> str:
    """One row for somebody who waits for the table."""
    name, ours, baseline, ratio, wanted, note = _cells(row)
    beside = f", beside it {baseline}: {ratio}" if baseline else ""
    more = "; ".join(filter(None, (wanted and f"wanted {wanted}", note)))
    return f"{name}: {ours}{beside}" + (f" ({more})" if more else "")


def _cells(row: Row) -> tuple[str, ...]:
    baseline = "" if row.baseline is None else f"{_short(row.baseline)} {row.unit}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return row.name, f"{_short(row.ours)} {row.unit}", baseline, ratio, row.wanted, row.note


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def save(rows: Sequence[Row], file: Path) -> None:
    file.write_text(json.dumps([asdict(row) | {"ratio": row.ratio} for row in rows], indent=1) + "\n")
