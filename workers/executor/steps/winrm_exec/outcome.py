"""What an exit code and the output around it say about a step. Pure."""

import re

from contracts.causes import CAUSES
from workers.executor.steps.base import StepOutcome
from workers.executor.steps.winrm_exec.bootstrap import NEVER_OPENED

CONTROL_C_EXIT = -1073741510
"""0xC000013A, STATUS_CONTROL_C_EXIT."""
SHOWN_CHARACTERS = 300

SIGNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"OutOfMemoryException|paging file is too small", re.IGNORECASE), "memory_quota"),
    (re.compile(r"running scripts is disabled on this system", re.IGNORECASE), "scripts_disabled"),
)
"""Texts of Windows at the end of stderr that name a better cause than the exit code does."""


class NotRun(Exception):
    """The command has ended without having run the script."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(code)


def outcome_of(exit_code: int, error_tail: str, *, gate_opened: bool, lossy: bool) -> StepOutcome:
    """Raises NotRun when the bootstrap ended without opening its gate.

    Where output may be missing, so may the line that says that it opened: only the bootstrap's own exit code
    counts then.
    """
    if not gate_opened and not lossy:
        raise NotRun("script_not_run", _shown(error_tail) or f"it ended with exit code {exit_code}")
    if not gate_opened and exit_code == NEVER_OPENED:
        raise NotRun("script_not_run", "the script did not reach it completely")
    if exit_code == 0:
        return StepOutcome(outcome="succeeded", exit_code=0)
    for sign, code in SIGNS:
        if sign.search(error_tail):
            return StepOutcome(
                outcome="failed", exit_code=exit_code, cause=CAUSES[code], words={"detail": exit_code}
            )
    words = {"detail": described(exit_code)}
    return StepOutcome(outcome="failed", exit_code=exit_code, cause=CAUSES["exit_code"], words=words)


def described(exit_code: int) -> str:
    """Exit codes that are NTSTATUS values in the form people look up."""
    if exit_code >= 0:
        return str(exit_code)
    plain = f"{exit_code} (0x{exit_code & 0xFFFFFFFF:08X})"
    return f"{plain}, stopped by Ctrl+C" if exit_code == CONTROL_C_EXIT else plain


def _shown(text: str) -> str:
    return " ".join(text.split())[:SHOWN_CHARACTERS]
