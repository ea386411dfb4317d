"""Shell text for the target: how it is sent, and what both the wrapper and the stopper need.

One constant text runs under the account's shell for each purpose; everything that differs from attempt to
attempt (folder, script, position, nonce) arrives on its stdin, so nothing of it is ever in a process list.
It is sent as one line without single quotes, backslashes or exclamation marks (but for `$! `), because the
account's login shell may be csh or fish.
"""

from dataclasses import dataclass
from typing import Self

_JOINING = ("{", "do", "then", "else", "&", "(", ";;", " in", "|", "||", "&&")


def one_line(text: str) -> str:
    """`text` as one line: indentation and line ends become what the shell needs between commands."""
    lines = filter(None, (line.strip() for line in text.splitlines()))
    return " ".join(line if line.endswith(_JOINING) else f"{line};" for line in lines)


@dataclass(frozen=True, slots=True)
class ShellText:
    """A program for /bin/sh, as one line that any login shell passes on unchanged."""

    line: str

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises ValueError for a text that a login shell could change."""
        line = one_line(text)
        if forbidden := set(line.replace("$! ", "")) & set("'\\!\n"):
            raise ValueError(f"a login shell could read {sorted(forbidden)} in its own way")
        return cls(line)

    @property
    def command(self) -> str:
        """What to give a login shell of any kind to run it under /bin/sh."""
        return f"exec /bin/sh -c '{self.line}'"


# `leader` reads who leads the script's session; `leads` says whether that very process still runs. A pid
# alone would not do: after a reboot, or a long time, it belongs to somebody else. Field 20 behind the name
# in /proc/<pid>/stat is the start time; where there is no /proc, the pid has to do.
COMMON = """
    say() {
        echo "$nonce $*"
    }
    find_base() {
        if [ "$HOME" ] && [ -d "$HOME" ] && [ -w "$HOME" ]; then
            base=$HOME/.opsconductor
        else
            base=${TMPDIR:-/tmp}/.opsconductor-$(id -u)
        fi
    }
    sweep() {
        for old in "$base/$1."*; do
            [ -d "$old" ] || continue
            ( set -C; : >"$old/started" ) 2>/dev/null
            rm -rf "$old"
        done
    }
    leader() {
        pid= stat= born=
        { read -r pid stat <"$d/pid"; } 2>/dev/null
        [ "$pid" ] || return 1
        set -- $stat
        born=${20}
    }
    leads() {
        if [ -r /proc/self/stat ]; then
            stat=
            { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || return 1
            set -- ${stat##*") "}
            [ "$1" = Z ] && return 1
            [ "${20}" = "$born" ]
        else
            kill -0 "$pid" 2>/dev/null
        fi
    }
    this_boot() {
        boot=-
        { read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
        return 0
    }
    other_boot() {
        was=
        { read -r was <"$d/started"; } 2>/dev/null
        this_boot
        case $was in
            "" | - | "$boot") return 1 ;;
        esac
        return 0
    }
    ended() {
        code=
        { read -r code <"$d/exit"; } 2>/dev/null
        case $code in
            [0-9]*) return 0 ;;
        esac
        return 1
    }
"""
