"""Which PowerShell commands, methods and types execute what they are given, or run blocks elsewhere."""

import re
from collections.abc import Sequence

from contracts.binding.model import Why, words

BESIDE = "Give it as an argument: … { param($x) $x } -ArgumentList {name}."

EXECUTES = Why("This command executes its arguments.", "Call the command itself: & $command {name}.")
ELSEWHERE = Why("This block runs elsewhere, where the parameter is not set.", BESIDE)
SHELL = Why(
    "This program reads its whole command line as a program.", "Use a step of its own for that shell."
)
CODE_OPTION = Why(
    "This argument is executed as a program.", "Pass it as an environment variable: $env:VALUE = {name}."
)
BATCH = Why("A batch file pastes its arguments into commands.", "Use a step with shell cmd.")
SQL = Why("The value would be executed as SQL.", "Use System.Data.SqlClient.SqlCommand and its Parameters.")
CODE_METHOD = Why("This method turns text into a program.", "Use {name} where data is expected.")
TYPE_CAST = Why(
    "Only casts to plain data types are known to be harmless.", "Use [string], [int] or [datetime]."
)

_REFUSED: dict[str, Why] = {
    **dict.fromkeys(words("invoke-expression iex add-type set-alias new-alias sal nal"), EXECUTES),
    **dict.fromkeys(words("invoke-history ihy r import-module ipmo invoke-item ii"), EXECUTES),
    **dict.fromkeys(words("invoke-wmimethod invoke-cimmethod register-scheduledtask"), EXECUTES),
    **dict.fromkeys(words("new-scheduledtaskaction set-psbreakpoint new-module"), EXECUTES),
    **dict.fromkeys(
        words("powershell pwsh cmd command.com wsl bash sh ssh plink psexec psexec64 winrs"),
        SHELL,
    ),
    **dict.fromkeys(
        words("schtasks at wmic forfiles mshta rundll32 wscript cscript msiexec sqlcmd"),
        SHELL,
    ),
    "invoke-sqlcmd": SQL,
    **dict.fromkeys(words("npm npx yarn pnpm code az gcloud mvn gradle gradlew"), BATCH),
}
_INTERPRETERS = re.compile(r"(python[\d.]*|py|perl|ruby|node|php|lua|rscript|awk|gawk|sed)$")
_CODE_OPTION = re.compile(r"-(c|e|E|r|p|n|pe|ne|pi|i|-eval|-print)$")
_STARTS = frozenset(("start-process", "saps", "start"))
_RUNS_ELSEWHERE = words(
    "invoke-command icm start-job sajb start-threadjob inlinescript register-objectevent "
    "register-engineevent register-wmievent register-cimindicationevent register-scheduledjob "
    "set-scheduledjob new-pssession"
)
_LOOPS = frozenset(("foreach-object", "foreach", "%"))
_CODE_METHODS = words(
    "create invokescript newscriptblock expandstring addscript addcommand invokecommand "
    "parseinput start shellexecute exec run getnewclosure compile"
)
_DATA_TYPES = words(
    "string int int32 int64 long uint32 uint64 double single float decimal bool boolean byte "
    "char datetime timespan version guid regex uri ipaddress switch net.ipaddress "
    "system.version"
)


def command_name(text: str) -> str:
    """The name by which a command is known here: without folder and `.exe`, in small letters."""
    return re.split(r"[\\/]", text.lower())[-1].removesuffix(".exe")


def refused_arguments(words: Sequence[str | None]) -> Why | None:
    """Why no argument of this command may hold a placeholder. A word is None when it is not fixed text."""
    if not words or words[0] is None:
        return None
    name = command_name(words[0])
    if name.endswith((".bat", ".cmd")):
        return BATCH
    if name in _REFUSED:
        return _REFUSED[name]
    fixed = [word for word in words[1:] if word]
    if _INTERPRETERS.match(name) and any(_CODE_OPTION.match(word) for word in fixed):
        return CODE_OPTION
    if name in _STARTS and any(_starts_shell(word) for word in fixed):
        return SHELL
    return None


def _starts_shell(word: str) -> bool:
    name = command_name(word)
    return name in _REFUSED or name.endswith((".bat", ".cmd")) or _INTERPRETERS.match(name) is not None


def runs_elsewhere(words: Sequence[str | None]) -> bool:
    """Whether a script block among the arguments runs in another process, session or thread."""
    if not words or words[0] is None:
        return False
    name = command_name(words[0])
    if name in _LOOPS:
        return any(word is None or word.lower().startswith("-pa") for word in words[1:])
    return name in _RUNS_ELSEWHERE


def names_program(words: Sequence[str | None]) -> bool:
    """Whether the next plain argument would be the program that `Start-Process` starts."""
    if not words or words[0] is None or command_name(words[0]) not in _STARTS:
        return False
    given = [number for number, word in enumerate(words) if (word or "").lower().startswith("-f")]
    if given:
        return given[-1] >= len(words) - 1
    return len(words) == 1 or words[1] is None or words[1].startswith("-")


def executes_text(method: str) -> bool:
    """Whether a method of this name may turn its arguments into a program."""
    return method.lower() in _CODE_METHODS


def is_data_type(name: str) -> bool:
    """Whether a cast to this type only reads the text as data."""
    return name.lower().removeprefix("system.").removesuffix("[]") in _DATA_TYPES
