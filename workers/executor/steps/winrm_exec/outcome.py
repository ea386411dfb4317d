"""What an exit code and the output around it say about a step. Pure."""

import re

from contracts.causes import CAUSES
from workers.executor.steps.base import StepOutcome
from workers.executor.steps.winrm_exec.runners import NEVER_OPENED, NO_FOLDER

CONTROL_C_EXIT = -1073741510
"""0xC000013A, STATUS_CONTROL_C_EXIT."""
NOT_FOUND_EXITS = (1, 9009)
"""Of cmd, for a program it cannot find; its message is in the host's language, but names the program."""
SHOWN_CHARACTERS = 300

SIGNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"OutOfMemoryException|paging file is too small", re.IGNORECASE), "memory_quota"),
    (re.compile(r"running scripts is disabled on this system", re.IGNORECASE), "scripts_disabled"),
    (re.compile(r"command line is too long", re.IGNORECASE), "command_line_too_long"),
    (re.compile(r"Access is denied[^\0]*(?:\\\\\w|Active Directory)"), "double_hop"),
    (re.compile(r"(?:\\\\\w|Active Directory)[^\0]*Access is denied"), "double_hop"),
    (re.compile(r"Access to the path '\\\\[^']*' is denied"), "double_hop"),
)
"""Texts of Windows at the end of stderr that explain a failure better than its exit code does."""


class NotRun(Exception):
    """The command has ended without having run the script."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(code)


def outcome_of(
    exit_code: int, error_tail: str, *, gate_opened: bool, lossy: bool, shell: str = "powershell"
) -> StepOutcome:
    """Raises NotRun when the bootstrap ended without opening its gate.

    Where output may be missing, so may the line that says that it opened: only the bootstrap's own exit codes
    count then.
    """
    if not gate_opened:
        _refuse_what_never_ran(exit_code, error_tail, lossy=lossy, shell=shell)
    words = {"detail": described(exit_code)}
    for sign, code in SIGNS:
        if sign.search(error_tail):
            return StepOutcome(outcome="ended", exit_code=exit_code, cause=CAUSES[code], words=words)
    return StepOutcome(outcome="ended", exit_code=exit_code, words=words)


def _refuse_what_never_ran(exit_code: int, error_tail: str, *, lossy: bool, shell: str) -> None:
    if exit_code == NO_FOLDER:
        raise NotRun("folder_not_found", _shown(error_tail) or "it does not exist")
    if exit_code == NEVER_OPENED:
        raise NotRun("script_not_run", "the script did not reach it completely")
    if lossy:
        return
    if shell == "pwsh" and exit_code in NOT_FOUND_EXITS and "pwsh" in error_tail:
        raise NotRun("pwsh_missing", _shown(error_tail))
    raise NotRun("script_not_run", _shown(error_tail) or f"it ended with exit code {exit_code}")


def described(exit_code: int) -> str:
    """Exit codes that are NTSTATUS values in the form people look up."""
    if exit_code >= 0:
        return str(exit_code)
    plain = f"{exit_code} (0x{exit_code & 0xFFFFFFFF:08X})"
    return f"{plain}, stopped by Ctrl+C" if exit_code == CONTROL_C_EXIT else plain


def _shown(text: str) -> str:
    return " ".join(text.split())[:SHOWN_CHARACTERS]
