"""The shell texts that stop an attempt's processes, and that remove its folder.

What belongs to the command: every process in the script's session or process group, and every descendant of
one. A daemon that has left all three is not followed. TERM first, KILL after half a second, then a look
whether anything is left; zombies do not count. Where there is no /proc, the process group is all that can
be asked for.
"""

from workers.executor.steps.ssh_exec.shell_text import COMMON, ShellText

_SCAN = """
    known=
    join() {
        case " $known " in
            *" $1 "*) ;;
            *) known="$known $1" more=1 ;;
        esac
    }
    scan_once() {
        for p in /proc/[0-9]*; do
            stat=
            { read -r stat <"$p/stat"; } 2>/dev/null || continue
            p=${p#/proc/}
            set -- ${stat##*") "}
            case $1 in
                Z | X) continue ;;
            esac
            if [ "$3" = "$pid" ] || [ "$4" = "$pid" ]; then
                join "$p:${20}"
            else
                case " $known" in
                    *" $2:"*) join "$p:${20}" ;;
                esac
            fi
        done
    }
    find_left() {
        left=
        if [ -r /proc/self/stat ]; then
            more=1
            while [ "$more" ]; do
                more=
                scan_once
            done
            for entry in $known; do
                stat=
                { read -r stat <"/proc/${entry%:*}/stat"; } 2>/dev/null || continue
                set -- ${stat##*") "}
                case $1:${20} in
                    Z:* | X:*) ;;
                    *:"${entry#*:}") left="$left ${entry%:*}" ;;
                esac
            done
        else
            kill -0 "-$pid" 2>/dev/null && left=$pid
        fi
        [ "$left" ]
    }
    send() {
        kill "-$1" "-$pid" 2>/dev/null
        for p in $left; do
            kill "-$1" "$p" 2>/dev/null
        done
    }
    somebody_elses() {
        other_boot && return 0
        [ -r "/proc/$pid/stat" ] || return 1
        { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || return 1
        set -- ${stat##*") "}
        case ${20} in
            "$born") return 1 ;;
        esac
        return 0
    }
"""

_STOP = """
    never_start() {
        set -C
        { echo - >"$d/started"; } 2>/dev/null || {
            set +C
            return 1
        }
        set +C
        echo 143 1<>"$d/exit"
        : >"$d/done"
    }
    wait_for_leader() {
        n=0
        until leader || ended || [ "$n" -ge 60 ]; do
            n=$((n + 1))
            sleep .05 || sleep 1
        done
    }
    end_all() {
        n=0
        find_left && send TERM
        while find_left; do
            n=$((n + 1))
            [ "$n" -ge 100 ] && return 1
            [ "$n" -ge 10 ] && send KILL
            sleep .05 || sleep 1
        done
    }
    settle() {
        n=0
        until ended || [ "$n" -ge 20 ]; do
            n=$((n + 1))
            sleep .05 || sleep 1
        done
        ended || echo 137 1<>"$d/exit"
    }
    stop() {
        [ -d "$d" ] && [ -O "$d" ] || return 1
        never_start && return 0
        wait_for_leader
        leader || ended
    }
    IFS=" " read -r nonce
    IFS= read -r d
    if stop; then
        if [ "$pid" ] && somebody_elses; then
            pid=
        fi
        if [ -z "$pid" ] || end_all; then
            settle
            say gone
        else
            say left $left
        fi
    else
        say lost
    fi
    exit 0
"""

STOP = ShellText.of(COMMON + _SCAN + _STOP)
"""stdin: nonce, then the folder. Answers `gone` when nothing runs any more (also when it never was started,
and then it never will be), `left <pids>` when something does, `lost` when the folder tells nothing."""

DROP = ShellText.of(
    """
    IFS= read -r d
    case $d in
        */.opsconductor*/*) [ -O "$d" ] && rm -rf "$d" ;;
    esac
    """
)
"""stdin: the folder to remove."""

SWEEP = ShellText.of(
    COMMON
    + """
    IFS=" " read -r nonce name
    find_base
    [ -O "$base" ] && sweep "$name"
    say swept
    exit 0
    """
)
"""stdin: nonce, and how the names of the folders to remove begin. What has not begun never will. Answers
`swept`."""
