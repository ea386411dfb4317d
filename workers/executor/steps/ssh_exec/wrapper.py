"""The shell text that gets a script ready on the target, starts it once, and passes its output on.

Talks over its channel: stdin holds our orders, stdout and stderr the command's own output, with lines of ours
that begin with a random nonce of this channel. It needs a POSIX shell whose `test` knows `-nt` and `-O`, and
`mkdir head tee cat dd sleep rm`. An attempt's folder on the target is private (0700, in `~/.opsconductor`):

    script      the script; its first line writes `pid`
    stdin       what it reads, when there is any; `body` the file of another language, likewise
    started     made with O_EXCL: who makes it starts the script, nobody else ever does; holds the boot id
    pid         pid, process group and session of the script in one, with its line of /proc/<pid>/stat
    out, err    what it wrote, at most `OUTPUT_LIMIT` bytes each
    out.cut     there when more was written than kept; `err.cut` likewise
    fault       why the script could not begin (the code of a cause), when it could not
    exit        its exit code, 128 + n when signal n ended it
    done        both outputs have ended
    teller.*    made with O_EXCL: who makes it passes the output on over that channel

`~` rather than /tmp, because nobody else can plant a link or a folder there and no cleaner sweeps it; only an
account without a writable home gets `/tmp/.opsconductor-<uid>`, which must be a real folder of its own.

The output goes through a pipe into a `tee` under a file size limit, whose other output is /dev/null: at the
limit, or on a full disk, it gives up the file and goes on reading, so the files stay bounded and the command
neither blocks nor dies. `exit` is written in place over a reserved line, so that it fits on a full disk too.

Whoever stores a new attempt removes what earlier ones of its task have left: nobody goes back to those. It
makes `started` first, so that a worker which does not know that it was replaced starts nothing there.

One wrapper serves one attempt after the other while its channel stays open; what belongs to an attempt lies
in its folder and in processes of its own, and each has a nonce of its own.

Nothing here waits by the clock: the wrapper sleeps in `read` until an order comes. A script that ends before
anybody has looked is told of, with all of its output, by the part that kept its output; later that part only
says that it has ended. Whoever took over asks now and then. New output
is seen by comparing times (a shell built-in) with a mark made two looks ago: one look ago could be the same
tick of the clock. The files are read through descriptors that stay open, which keep the position. Programs
are started only for what no built-in can do: each costs the target more than all the rest together. So a few
lines of text are passed on by the shell itself, if what it read is as long as what was written (/proc tells):
it cannot hold NUL bytes, may count characters, and says nothing of a last line without an end.
"""

from workers.executor.steps.ssh_exec.shell_text import COMMON, ShellText

OUTPUT_LIMIT = 64 * 1024 * 1024
"""Bytes of each stream kept on the target."""

_FOLDER = """
    fault() {
        say fault "$@"
        exit 0
    }
    need() {
        command -v "$1" >/dev/null 2>&1
    }
    base_folder() {
        find_base
        [ -d "$base" ] || mkdir -m 700 "$base" 2>/dev/null
        [ -L "$base" ] && fault workspace "$base is a symbolic link"
        [ -d "$base" ] && [ -O "$base" ] && [ -w "$base" ] && return
        fault workspace "$base cannot be made, or belongs to somebody else"
    }
    full() {
        rm -rf "$d"
        fault workspace "$d cannot be written (disk full?)"
    }
    fill_folder() {
        : >"$d/out" && : >"$d/err" && echo "-   " >"$d/exit"
    }
    get_ready() {
        need "$program" || fault program "$program"
        need setsid || need perl || need python3 || fault program "setsid (nor perl or python3 in its place)"
        [ "$pty" = 0 ] || need script || fault program "script (of util-linux), which a terminal needs"
        base_folder
        sweep "${name%%.*}"
        d=$base/$name
        mkdir -m 700 "$d" 2>/dev/null || fault workspace "$d cannot be made"
        fill_folder 2>/dev/null || full
    }
    take_lines() {
        while [ "$b" -gt 0 ] && IFS= read -r line; do
            b=$((b - 1))
            printf "$format" "$line" || return 1
        done
    }
    take() {
        if [ "$order" = lines ]; then take_lines; else head -c "$b"; fi >"$d/$a" || full 2>/dev/null
        say taken "$d"
    }
    look_up() {
        d=$name
        [ -d "$d" ] && [ -O "$d" ] || fault missing
        state=fresh
        [ -e "$d/started" ] && state=started
        [ "$state" = started ] && vanished && state=vanished
        say ready "$state" "$d"
    }
    vanished() {
        ended && return 1
        other_boot && return 0
        leader || return 1
        leads && return 1
        sleep 1
        ended && return 1
        return 0
    }
"""

_RUN = """
    in_new_session() {
        if need setsid; then
            exec setsid "$@"
        elif need perl; then
            exec perl -MPOSIX -e "POSIX::setsid(); exec @ARGV" "$@"
        else
            exec python3 -c "import os, sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])" "$@"
        fi
    }
    begin() {
        exec 5<&- 6<&-
        [ -e "$d/stdin" ] && exec <"$d/stdin"
        if [ "$pty" = 0 ]; then in_new_session "$shell" "$d/script"; fi
        SHELL=/bin/sh in_new_session script -qefc "exec $shell $d/script" /dev/null
    }
    bound() {
        ulimit -f LIMIT 2>/dev/null
        trap "" XFSZ
    }
    run() {
        exec </dev/null 2>/dev/null
        {
            (begin 2>&1 >&4 4>&-)
            echo "$?" 1<>"$d/exit"
        } | {
            bound
            exec tee /dev/null >>"$d/err" 4>&-
        } || : >"$d/err.cut"
    }
    keep_and_tell() {
        exec 7>>"$d/out"
        bound
        tee /dev/null >&7 2>/dev/null || : >"$d/out.cut"
        : >"$d/done"
        if tell_alone; then
            tell_lines
            looks=0 state=told
            ended
            finish
        else
            say ended
        fi
    }
    tell_lines() {
        size=
        { read -r line size </proc/self/fdinfo/7; } 2>/dev/null
        case $size in
            [1-9] | [1-9][0-9] | [1-9][0-9][0-9]) ;;
            *) return ;;
        esac
        set --
        while IFS= read -r line; do
            set -- "$@" "$line"
            size=$((size - ${#line} - 1))
        done <&5
        if [ "$size" = 0 ]; then
            printf "$format" "$@"
            passed=1
        else
            exec 5<"$d/out"
        fi
    }
    tell_alone() {
        set -C
        { : >"$d/teller.$nonce"; } 2>/dev/null
        first=$?
        set +C
        return "$first"
    }
    start_once() {
        this_boot
        set -C
        if { echo "$boot" >"$d/started"; } 2>/dev/null; then
            set +C
            run 4>&1 | keep_and_tell &
        fi
        set +C
    }
"""

_FOLLOW = """
    begin_err() {
        [ "$begun" ] || echo "$nonce begin" >&2
        begun=1
    }
    deliver() {
        [ -s "$d/out" ] && [ -z "$passed" ] && cat <&5
        [ -s "$d/err" ] || return
        begin_err
        cat <&6 >&2
    }
    news() {
        seen=$d/seen.$nonce.$((looks % 2))
        new=1
        [ "$d/out" -nt "$seen" ] || [ "$d/err" -nt "$seen" ] || new=
        : >"$seen"
        [ "$new" ] || [ "$looks" -le 2 ] || [ $((looks % 16)) = 0 ]
    }
    lost() {
        [ $((looks % 16)) = 0 ] || return 1
        [ "$looks" -lt 48 ] || leader || return 0
        vanished
    }
    go() {
        exec 5<"$d/out" 6<"$d/err"
        [ "$a" = 0 ] || dd bs="$a" skip=1 count=0 <&5 >/dev/null 2>&1
        [ "$b" = 0 ] || dd bs="$b" skip=1 count=0 <&6 >/dev/null 2>&1
        looks=0 begun= passed=
        start_once
    }
    finish() {
        deliver
        why=-
        { read -r why <"$d/fault"; } 2>/dev/null
        cut=
        [ -e "$d/out.cut" ] && cut="$cut stdout"
        [ -e "$d/err.cut" ] && cut="$cut stderr"
        if [ "$begun" ]; then echo "$nonce end"; else printf "$format" "$nonce begin" "$nonce end"; fi >&2
        say "$state" "${code:--}" "$why" $cut
    }
    look() {
        if [ "$looks" = 0 ]; then tell_alone || return; fi
        looks=$((looks + 1)) state=running
        if ended; then
            state=exited
            [ -e "$d/done" ] && state=end
            [ "$a" = last ] && state=end
        elif lost; then
            state=vanished
        fi
        case $state in
            running | exited) news && deliver; say looked "$state" ;;
            *) finish ;;
        esac
    }
"""

_MAIN = """
    drop() {
        exec 5<&- 6<&-
        [ "$1" = keep ] && wait
        rm -rf "$d"
        say dropped
        [ "$1" = keep ] || exit 0
    }
    one_attempt() {
        IFS= read -r name
        IFS= read -r format
        if [ "$mode" = new ]; then get_ready; else look_up; fi
        while IFS=" " read -r order a b; do
            case $order in
                lines | bytes) take ;;
                go) go ;;
                look) look ;;
                drop) drop "$a"; return ;;
            esac
        done
    }
    while IFS=" " read -r nonce mode shell program pty; do
        one_attempt
    done
    exit 0
"""

RUN = ShellText.of(COMMON + _FOLDER + _RUN.replace("LIMIT", str(OUTPUT_LIMIT // 512)) + _FOLLOW + _MAIN)
"""First line of stdin: nonce, `new` or `old`, shell, program that must be there, 1 for a terminal or 0;
second: the folder's name or path; third: the format that prints a line (`%s` and a line feed, which the text
itself cannot hold).

`old` answers `ready fresh|started|vanished <path>`; `new` answers nothing. Either may answer
`fault <kind> <detail>` instead. Orders: `lines <file> <n>` or `bytes <file> <n>` store what follows them and
answer `taken <path>`. `go <a> <b>` starts the script unless it was started before. What follows on stdout is
its output from byte a on; on stderr, where a login shell may still have something to say of its own, the
output from byte b on begins behind the line `begin`. `look` sends what is new and
answers `looked running|exited`, or, in front of the end of each stream, `end` on stderr and
`end|told|vanished <exit code> <fault or -> <streams that were cut>` on stdout. `look last` does not wait for
a daemon that keeps the output open. To whoever started the script the end comes unasked: `told` in place of
`end` if nobody has looked before, else `ended`. After either word nothing more can be said of this attempt.

`drop` removes the folder, answers `dropped` and ends. After `told` or `ended`, `drop keep` may be ordered
instead: it answers the same and takes the next attempt, the same three lines again with a nonce of its own.
"""
