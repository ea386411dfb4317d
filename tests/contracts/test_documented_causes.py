"""The page of a step names every cause it can end with, in the words of the catalogue."""

from pathlib import Path

from contracts.causes import CAUSES
from tests.executors.test_winrm_catalogue import ROWS
from workers.executor.steps.winrm.faults import FAULTS, SUBCODES
from workers.executor.steps.winrm_exec.outcome import SIGNS

PAGE = Path(__file__).parents[2] / "docs" / "steps" / "winrm-exec.md"
BEGIN, END = "<!-- causes: begin (checked against contracts/causes) -->\n", "<!-- causes: end -->"
ELSEWHERE = (
    "transport_not_installed",
    "certificate_unusable",
    "credential_missing",
    "kerberos_failed",
    "script_not_run",
    "exit_code",
    "error_stream",
    "output_pattern",
    "output_unjudged",
    "timed_out",
    "idle_timed_out",
    "not_verified",
)
"""Causes that neither the tables of faults nor the catalogue of provoked troubles name."""


def table() -> str:
    """The catalogue as the page has to show it: `python -m tests.contracts.test_documented_causes`."""
    codes = {row.code for row in ROWS} | set(ELSEWHERE)
    codes |= {code for _, code in (*FAULTS.values(), *SUBCODES.values(), *SIGNS)}
    rows = [
        f"| `{code}` | {CAUSES[code].message} | {CAUSES[code].hint} |" for code in CAUSES if code in codes
    ]
    return "\n".join(["| cause | what it says | what to do |", "|---|---|---|", *rows, ""])


def test_the_page_of_winrm_exec_shows_its_causes_as_the_catalogue_has_them() -> None:
    shown = PAGE.read_text().split(BEGIN)[1].split(END)[0]

    assert shown == table()


if __name__ == "__main__":
    text = PAGE.read_text()
    head, rest = text.split(BEGIN)
    PAGE.write_text(head + BEGIN + table() + END + rest.split(END)[1])
