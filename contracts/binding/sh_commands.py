"""Which arguments of which Unix programs are executed rather than used as data.

A value bound as one argument cannot leave it; but `sh -c`, `ssh`, `awk`, `eval` and many others execute the
argument itself. The tables name them; a placeholder stands only where the program takes data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.binding.model import Why, words
from contracts.binding.sh_words import HOLE, Word

SAFE = "sh -c 'echo \"$1\"' _ {name}"

COMMAND = Why(
    "The value would choose the command that runs.", "Write the command itself; {name} may be its argument."
)
STDIN = Why(
    "This program executes what it reads from its standard input.", f"Give the value as data: {SAFE}."
)
CODE = Why("This argument is executed as a program, the value with it.", f"Pass the value beside it: {SAFE}.")
FOREIGN = Why(
    "This argument is executed as a program, the value with it.",
    "Pass it in the environment: VALUE={name} command …, and read VALUE there.",
)
REMOTE = Why(
    "A shell on the other side executes these arguments.", "Use a step on that machine, with {name}."
)
OPTION = Why(
    "A value that begins with - would be an option that can run commands.",
    "Put -- before it, or fixed text: ./{name}.",
)
PROGRAM_FILE = Why("The value would choose the program that runs.", f"Write the file itself, or {SAFE}.")
EXECUTES = Why("This command executes its arguments.", f"Give the value as data: {SAFE}.")
VARIABLE_NAME = Why(
    "This command executes array subscripts in names of variables.", "Assign plainly: x={name}."
)
DECLARATION = Why(
    "This command may execute what it assigns.", "Declare first, then assign: local x; x={name}."
)
FORMAT = Why("The format of printf is not data: it reads % and backslashes.", "Write printf '%s' {name}.")
TEST = Why("Here the value could act as an operator of the test.", "Write [ {name} = x ] or [ -n {name} ].")
SETTING = Why("Without -- the value could change the shell's settings.", "Write set -- {name}.")
SPLITS = Why(
    "This command splits the value again and may execute it.", 'Use a loop: for x in {name}; do … "$x"; done.'
)
SQL = Why("The value would be executed as a statement.", "Pass it as a variable of the client, or in a file.")

_SHELLS = words("sh bash dash ash ksh mksh zsh fish rbash")
_INTERPRETERS = {
    "python": "c", "python2": "c", "python3": "c", "perl": "eEnpiMmIx", "ruby": "enprIx", "node": "ep",
    "nodejs": "ep", "php": "rBRE", "lua": "e", "Rscript": "e", "deno": "e", "bun": "e",
}  # fmt: skip
"""Interpreters and the letters of options after which arguments are (or may be) program text."""

_REFUSED: dict[str, Why] = {
    **dict.fromkeys(words("eval let trap alias complete compgen bind enable fc hash"), EXECUTES),
    **dict.fromkeys(words("at batch crontab expect tclsh osascript m4 gdb dc ed"), EXECUTES),
    **dict.fromkeys(words("screen tmux make gmake script shopt jobs coproc"), EXECUTES),
    **dict.fromkeys(words("powershell pwsh cmd cmd.exe powershell.exe wsl sqlite3"), EXECUTES),
    **dict.fromkeys(("su", "runuser"), CODE),
    **dict.fromkeys(words("ssh rsh slogin autossh mosh pdsh clush pssh"), REMOTE),
    **dict.fromkeys(words("xargs parallel watch"), SPLITS),
    **dict.fromkeys(words("read unset getopts mapfile readarray wait"), VARIABLE_NAME),
    **dict.fromkeys(words("declare typeset local"), DECLARATION),
}
_RUNS_STDIN = words(
    "ssh rsh slogin autossh mosh pdsh clush pssh su runuser xargs parallel at batch crontab "
    "expect tclsh m4 gdb dc ed ex sqlite3 psql mysql mariadb ftp sftp tmux powershell pwsh cmd"
)
_NEEDS_DASHES = words(
    "tar zip rsync scp sftp sed man wget tcpdump vim vi view ex emacs less more gzip split sort"
)
_STATEMENT_OPTIONS = {
    "psql": ("-c", "--command"),
    "mysql": ("-e", "--execute"),
    "mariadb": ("-e", "--execute"),
}
_WRAPPERS: dict[str, tuple[frozenset[str], int]] = {
    "sudo": (
        words("-u -g -h -p -C -T -r -t -U -D -R --user --group --host --prompt --chdir"),
        0,
    ),
    "doas": (frozenset(("-u", "-C")), 0),
    "env": (frozenset(("-u", "--unset", "-C", "--chdir")), 0),
    "exec": (frozenset(("-a",)), 0),
    "nice": (frozenset(("-n", "--adjustment")), 0),
    "ionice": (frozenset(("-c", "-n", "-p")), 0),
    "timeout": (frozenset(("-s", "-k", "--signal", "--kill-after")), 1),
    "stdbuf": (frozenset(("-i", "-o", "-e")), 0),
    "chroot": (frozenset(), 1),
    "flock": (frozenset(("-w", "-E", "--timeout")), 1),
    "sshpass": (frozenset(("-p", "-f", "-d", "-P")), 0),
    "strace": (frozenset(("-e", "-o", "-p", "-s", "-u")), 0),
    "chrt": (frozenset(), 1),
    "taskset": (frozenset(), 1),
    **dict.fromkeys(words("nohup setsid command builtin time busybox toybox unbuffer"), (frozenset(), 0)),
}
"""Programs that run the command among their arguments: their options with an argument, operands before it."""


@dataclass(slots=True)
class Judged:
    """Refused words by number, and whether the command executes its standard input."""

    refused: dict[int, Why] = field(default_factory=dict)
    runs_stdin: bool = False

    def refuse(self, words: Sequence[Word], numbers: Sequence[int] | range, why: Why) -> None:
        for number in numbers:
            if words[number].holds:
                self.refused.setdefault(number, why)


def judge_command(words: Sequence[Word]) -> Judged:
    """Which words of a simple command may not hold a placeholder (assignments and redirections left out)."""
    judged = _judge_words(words)
    kept = [number for number, word in enumerate(words) if not word.may_vanish]
    if len(kept) < len(words):
        fewer = _judge_words([words[number] for number in kept])
        judged.runs_stdin |= fewer.runs_stdin
        for number, why in fewer.refused.items():
            judged.refused.setdefault(kept[number], why)
    return judged


def _judge_words(words: Sequence[Word]) -> Judged:
    judged = Judged()
    start = _command_start(words, judged)
    if start is None:
        return judged
    head = words[start]
    if head.holds:
        judged.refuse(words, [start], COMMAND)
        return judged
    name = _basename(head)
    _judge_named(name, words, start, judged)
    judged.runs_stdin |= name in _RUNS_STDIN
    for number in range(start + 1, len(words)):
        _judge_inner(words, number, judged)
    if not head.static:
        _judge_unknown(words, start, judged)
    return judged


def _basename(word: Word) -> str:
    """The command's name without its folder; what only the running shell knows may also be nothing."""
    return word.text.replace(HOLE, "").rsplit("/", 1)[-1]


def _command_start(words: Sequence[Word], judged: Judged) -> int | None:
    """The number of the word that is the command itself, behind `sudo`, `env X=y`, `timeout 5` …"""
    start = 0
    while start < len(words) and (wrapper := _WRAPPERS.get(_basename(words[start]))):
        name = _basename(words[start])
        start = _behind_wrapper(words, start + 1, name, wrapper, judged)
        if start >= len(words):
            judged.runs_stdin |= name in ("exec", "sudo", "doas", "chroot")
    return start if start < len(words) else None


def _behind_wrapper(
    words: Sequence[Word], at: int, name: str, wrapper: tuple[frozenset[str], int], judged: Judged
) -> int:
    takes_argument, operands = wrapper
    while at < len(words):
        word = words[at]
        if word.prefix.startswith("-"):
            if name in ("env", "flock") and word.prefix.lstrip("-")[:1] in ("S", "s", "c"):
                judged.refuse(words, range(at, min(at + 2, len(words))), CODE)
            at += 2 if word.text in takes_argument else 1
        elif name in ("env", "sudo") and "=" in word.prefix:
            at += 1
        elif operands:
            if words[at - 1].text != "--" and not word.prefix:
                judged.refuse(words, range(at, len(words)), OPTION)
            operands -= 1
            at += 1
        else:
            return at
    return at


def _judge_named(name: str, words: Sequence[Word], start: int, judged: Judged) -> None:
    rest = range(start + 1, len(words))
    if name in _REFUSED:
        judged.refuse(words, rest, _REFUSED[name])
    elif name in _SHELLS:
        _judge_shell(words, start, judged)
    elif name in _INTERPRETERS or name.startswith(("python", "perl", "ruby")):
        _judge_interpreter(name, words, start, judged)
    elif name in ("awk", "gawk", "mawk", "nawk", "jq"):
        _judge_awk(words, start, judged)
    elif name in (".", "source"):
        judged.refuse(
            words, rest[: 1 + sum(words[number].prefix.startswith("-") for number in rest)], PROGRAM_FILE
        )
    elif name in ("test", "["):
        _judge_test(words, start, judged)
    elif name == "printf":
        _judge_printf(words, start, judged)
    elif name in ("export", "readonly"):
        _judge_export(words, start, judged)
    elif name == "set" and (len(rest) == 0 or words[rest[0]].text not in ("--", "-")):
        judged.refuse(words, rest, SETTING)
    elif name in _STATEMENT_OPTIONS:
        _judge_statements(words, start, _STATEMENT_OPTIONS[name], judged)
    if name in _NEEDS_DASHES:
        _judge_dashes(name, words, start, judged)


def _judge_shell(words: Sequence[Word], start: int, judged: Judged) -> None:
    """Options, then the program text (-c) or file; everything after it is data, unless -s came before."""
    code = reads_stdin = False
    at = start + 1
    while at < len(words) and words[at].prefix[:1] in ("-", "+") and words[at].text not in ("-", "--"):
        word = words[at]
        judged.refuse(words, [at], CODE)
        if not word.text.startswith("--"):
            code |= "c" in word.text
            reads_stdin |= "s" in word.text
        at += 2 if word.text in ("-o", "+o", "-O", "+O", "--rcfile", "--init-file") else 1
    dashed = at < len(words) and words[at].text in ("-", "--")
    at += dashed
    known = dashed and reads_stdin and not code
    if at < len(words) and not known and not words[at].prefix and not words[at].static:
        judged.refuse(words, range(at, len(words)), CODE)
    if code or not reads_stdin:
        judged.refuse(words, range(at, min(at + 1, len(words))), CODE if code else PROGRAM_FILE)
    judged.runs_stdin |= not code and (reads_stdin or at >= len(words))


def _judge_interpreter(name: str, words: Sequence[Word], start: int, judged: Judged) -> None:
    """Options, then program text or file. Only python stops reading options behind its program text."""
    letters = _INTERPRETERS.get(name, "c" if name.startswith("python") else "eEnp")
    at = start + 1
    while at < len(words) and words[at].prefix.startswith("-") and words[at].text != "-":
        word = words[at]
        judged.refuse(words, [at], FOREIGN)
        if name.startswith("python") and word.text == "-m":
            judged.refuse(words, range(at + 1, min(at + 2, len(words))), PROGRAM_FILE)
            return
        if any(letter in word.prefix for letter in letters):
            last = min(at + 2, len(words)) if name.startswith("python") else len(words)
            judged.refuse(words, range(at, last), FOREIGN)
            return
        at += 2 if word.text in ("-X", "-W", "-Q", "-r", "--require") else 1
    judged.refuse(words, range(at, min(at + 1, len(words))), PROGRAM_FILE)
    judged.runs_stdin |= at >= len(words) or words[at].text == "-"


def _judge_awk(words: Sequence[Word], start: int, judged: Judged) -> None:
    """Nothing before and in the program text; behind it stand files."""
    at = start + 1
    while at < len(words) and words[at].prefix.startswith("-"):
        at += 2 if words[at].text in ("-v", "-F", "-f", "--arg", "--argjson") else 1
    named_file = any(word.prefix.startswith(("-f", "-i", "-l", "-E", "-e")) for word in words[start + 1 : at])
    last = len(words) if named_file else min(at + 1, len(words))
    judged.refuse(words, range(start + 1, last), FOREIGN)


def _judge_test(words: Sequence[Word], start: int, judged: Judged) -> None:
    """A value must be an operand whatever it is: behind a fixed word that takes no name of a variable."""
    for number in range(start + 1, len(words)):
        before = words[number - 1]
        if not before.static or before.text in ("-v", "-R"):
            judged.refuse(words, [number], TEST)


def _judge_printf(words: Sequence[Word], start: int, judged: Judged) -> None:
    form = start + 1
    if form < len(words) and words[form].text == "--":
        form += 1
    if form < len(words) and words[form].prefix.startswith("-v"):
        judged.refuse(words, range(form, len(words)), VARIABLE_NAME)
    elif form < len(words):
        judged.refuse(words, [form], FORMAT)


def _judge_export(words: Sequence[Word], start: int, judged: Judged) -> None:
    rest = range(start + 1, len(words))
    for number in rest:
        name, equals, _ = words[number].prefix.partition("=")
        if not equals or not name.isidentifier() or words[rest[0]].text.startswith("-"):
            judged.refuse(words, [number], DECLARATION)


def _judge_statements(words: Sequence[Word], start: int, options: tuple[str, ...], judged: Judged) -> None:
    for number in range(start + 1, len(words)):
        if words[number].prefix.startswith(options) or words[number - 1].text in options:
            judged.refuse(words, [number], SQL)


def _judge_dashes(name: str, words: Sequence[Word], start: int, judged: Judged) -> None:
    """Where options can run commands: only behind `--`, or with fixed text before the value."""
    dashed = False
    for number in range(start + 1, len(words)):
        word = words[number]
        remote = name in ("scp", "rsync", "sftp") and ":" in word.prefix
        if remote:
            judged.refuse(words, [number], REMOTE)
        elif name == "sed" and not dashed:
            judged.refuse(words, [number], FOREIGN if " " in word.text or "/" in word.text else OPTION)
        elif not dashed and word.prefix[:1] in ("", "-"):
            judged.refuse(words, [number], OPTION)
        dashed |= word.text == "--"
    if name == "sed":
        _judge_sed_program(words, start, judged)


def _judge_sed_program(words: Sequence[Word], start: int, judged: Judged) -> None:
    """`sed -- program files`: without -e or -f the first word behind `--` is the program."""
    options = [word.text for word in words[start + 1 :]]
    if "--" not in options:
        return
    dashes = options.index("--")
    if not any(not option.startswith("-") for option in options[:dashes]) and "-e" not in options[:dashes]:
        number = start + 1 + dashes + 1
        judged.refuse(words, range(number, min(number + 1, len(words))), FOREIGN)


def _judge_inner(words: Sequence[Word], number: int, judged: Judged) -> None:
    """A shell or interpreter named among the arguments (find -exec, docker exec): its program text."""
    name = _basename(words[number])
    if not words[number].prefix and _basename(words[0]) == "find" and not words[number - 1].prefix:
        judged.refuse(words, [number], COMMAND)
    if words[number - 1].text in ("-exec", "-execdir", "-ok", "-okdir"):
        judged.refuse(words, [number], COMMAND)
    if name not in _SHELLS and name not in _INTERPRETERS:
        return
    letters = "c" if name in _SHELLS else _INTERPRETERS[name]
    for option in range(number + 1, len(words)):
        prefix = words[option].prefix
        if (
            prefix.startswith("-")
            and not prefix.startswith("--")
            and any(letter in prefix for letter in letters)
        ):
            keeps_rest = name in _SHELLS or name.startswith("python")
            last = min(option + 2, len(words)) if keeps_rest else len(words)
            judged.refuse(words, range(number + 1, last), CODE)
            return


def _judge_unknown(words: Sequence[Word], start: int, judged: Judged) -> None:
    """`$SHELL -c "…"`: what the command is shows only when it runs."""
    for number in range(start + 1, len(words) - 1):
        if words[number].text.startswith("-") and words[number].text[-1:] in ("c", "e"):
            judged.refuse(words, [number, number + 1], CODE)
