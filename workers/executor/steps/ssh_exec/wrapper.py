"""The shell text that gets a script ready on the target, starts it once, and passes its output on.

Talks over its channel: stdin holds our orders, stdout and stderr the command's own output, with lines of ours
that begin with a random nonce of this channel. It needs a POSIX shell whose `test` knows `-nt` and `-O`, and
`mkdir head cat dd sleep rm`. An attempt's folder on the target is private (0700, in `~/.opsconductor`):

    script      the script; its first line writes `pid`
    started     made with O_EXCL: who makes it starts the script, nobody else ever does; holds the boot id
    pid         pid, process group and session of the script in one, with its line of /proc/<pid>/stat
    out, err    what it wrote, at most `OUTPUT_LIMIT` bytes each
    out.cut     there when more was written than kept; `err.cut` likewise
    exit        its exit code, 128 + n when signal n ended it
    done        both outputs have ended

`~` rather than /tmp, because nobody else can plant a link or a folder there and no cleaner sweeps it; only an
account without a writable home gets `/tmp/.opsconductor-<uid>`, which must be a real folder of its own.

The output goes through a pipe into a `cat` under a file size limit: at the limit, or on a full disk, a second
`cat` takes over and drops the rest, so the files stay bounded and the command neither blocks nor dies. `exit`
is written in place over a reserved line, so that it fits on a full disk too.

New output is seen by comparing times (a shell built-in) with a mark made two looks ago: one look ago could be
the same tick of the clock. The files are read through descriptors that stay open, which keep the position.
"""

from workers.executor.steps.ssh_exec.shell_text import COMMON, command_line

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
        if [ "$HOME" ] && [ -d "$HOME" ] && [ -w "$HOME" ]; then
            base=$HOME/.opsconductor
        else
            base=${TMPDIR:-/tmp}/.opsconductor-$(id -u)
        fi
        [ -d "$base" ] || mkdir -m 700 "$base" 2>/dev/null
        [ -L "$base" ] && fault workspace "$base is a symbolic link"
        [ -d "$base" ] && [ -O "$base" ] && [ -w "$base" ] && return
        fault workspace "$base cannot be made, or belongs to somebody else"
    }
    sweep() {
        for old in "$base/${name%%.*}."*; do
            [ -d "$old" ] || continue
            [ -e "$old/started" ] && continue
            ( set -C; : >"$old/started" ) 2>/dev/null && rm -rf "$old"
        done
    }
    fill_folder() {
        head -c "$size" >"$d/script" && : >"$d/out" && : >"$d/err" && echo "-   " >"$d/exit"
    }
    get_ready() {
        need "$shell" || fault program "$shell"
        need setsid || need perl || need python3 || fault program "setsid (nor perl or python3 in its place)"
        base_folder
        sweep
        d=$base/$name
        mkdir -m 700 "$d" 2>/dev/null || fault workspace "$d cannot be made"
        if fill_folder 2>/dev/null; then
            say ready fresh "$d"
        else
            rm -rf "$d"
            fault workspace "$d cannot be written (disk full?)"
        fi
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
    keep() {
        ulimit -f LIMIT 2>/dev/null
        trap "" XFSZ
        cat >>"$d/$1" || {
            : >"$d/$1.cut"
            cat >/dev/null
        }
    }
    run() {
        {
            {
                (in_new_session "$shell" "$d/script" 2>&1 >&4 4>&-)
                echo "$?" 1<>"$d/exit"
            } | keep err
        } 4>&1 | keep out
        : >"$d/done"
    }
    start_once() {
        this_boot
        set -C
        if { echo "$boot" >"$d/started"; } 2>/dev/null; then
            set +C
            (
                exec </dev/null >/dev/null 2>&1
                run
            ) &
        fi
        set +C
    }
"""

_FOLLOW = """
    deliver() {
        [ -s "$d/out" ] && cat <&5
        [ -s "$d/err" ] && cat <&6 >&2
    }
    news() {
        seen=$d/seen.$nonce.$((ticks % 2))
        new=1
        [ "$d/out" -nt "$seen" ] || [ "$d/err" -nt "$seen" ] || new=
        : >"$seen"
        [ "$new" ] || [ "$ticks" -le 2 ] || [ $((ticks % 16)) = 0 ]
    }
    pause() {
        sleep "$1" 2>/dev/null || sleep 1
    }
    watch_orders() {
        { read -r order <&7; kill "$$"; } >/dev/null 2>&1 &
        watcher=$! order=
    }
    lost() {
        [ $((ticks % 16)) = 0 ] || return 1
        [ "$ticks" -lt 160 ] || leader || return 0
        vanished
    }
    open_output() {
        exec 5<"$d/out" 6<"$d/err" 7<&0
        [ "$a" = 0 ] || dd bs="$a" skip=1 count=0 <&5 >/dev/null 2>&1
        [ "$b" = 0 ] || dd bs="$b" skip=1 count=0 <&6 >/dev/null 2>&1
    }
    until_end() {
        ticks=0 watcher= verdict=end
        until ended; do
            ticks=$((ticks + 1))
            news && deliver
            if [ "$ticks" -le 3 ]; then pause .02; else pause .06; fi
            [ "$ticks" = 8 ] && watch_orders
            lost && verdict=vanished && break
        done
        n=0
        until [ -e "$d/done" ] || [ "$n" -ge 40 ]; do
            n=$((n + 1))
            pause .02
        done
        [ "$watcher" ] && kill "$watcher" 2>/dev/null && wait "$watcher" 2>/dev/null
    }
    follow() {
        start_once
        echo "$nonce begin" >&2
        say begin
        open_output
        until_end
        deliver
        cut=
        [ -e "$d/out.cut" ] && cut="$cut stdout"
        [ -e "$d/err.cut" ] && cut="$cut stderr"
        echo "$nonce end" >&2
        say "$verdict" "${code:--}" $cut
    }
"""

_MAIN = """
    IFS=" " read -r nonce mode shell size
    IFS= read -r name
    if [ "$mode" = new ]; then get_ready; else look_up; fi
    IFS=" " read -r order a b
    if [ "$order" = go ]; then
        follow
        IFS=" " read -r order
    fi
    [ "$order" = drop ] && rm -rf "$d"
    exit 0
"""

RUN = command_line(COMMON + _FOLDER + _RUN.replace("LIMIT", str(OUTPUT_LIMIT // 512)) + _FOLLOW + _MAIN)
"""First line of stdin: nonce, `new` or `old`, shell, bytes of the script; second: the folder's name or path.

`new`: then the script; answers `ready fresh <path>`. `old`: answers `ready fresh|started|vanished <path>`.
Either may answer `fault <kind> <detail>` instead. Then waits for `go <a> <b>`: starts the script unless it
was started before, and sends its output from byte a of stdout and b of stderr on, behind a line `begin` and
in front of a last line on each stream: `end` on stderr, `end|vanished <exit code> <streams that were cut>`
on stdout. `drop`, at either place, removes the folder.
"""
