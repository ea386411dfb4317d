"""The shell text that puts a file into place, or reads one, on the target.

A file is written beside its destination under a name of the task's own (`.ops-<task>`, readable by nobody
else), hashed there, and moved over the destination by one rename. What a lost connection or a lost worker
left is gone on with, when the hash of what is there fits. An archive is unpacked into a folder beside the
destination first. The bytes themselves come over SFTP, or, where there is none, over this channel.
"""

from workers.executor.steps.ssh_exec.shell_text import ShellText

_COMMON = """
    say() {
        echo "$nonce $*"
    }
    need() {
        command -v "$1" >/dev/null 2>&1
    }
    size_of() {
        n=
        { n=$(wc -c <"$1"); } 2>/dev/null
        echo $((${n:-0}))
    }
    free_in() {
        df -Pk "$1" 2>/dev/null | {
            read -r line
            read -r device total used free line
            echo "${free:--}"
        }
    }
    digest() {
        if need sha256sum; then
            sha256sum
        elif need shasum; then
            shasum -a 256
        elif need openssl; then
            openssl dgst -sha256 -r
        else
            cat >/dev/null
            echo none
        fi
    }
    locate() {
        IFS= read -r p
        case $p in
            /*) ;;
            "~") p=$HOME ;;
            "~/"*) p=$HOME/${p#??} ;;
            *) p=./$p ;;
        esac
        case $p in
            /) slash=/ ;;
            */) p=${p%/} slash=/ ;;
            *) slash= ;;
        esac
        [ -L "$p" ] && real=$(readlink -f "$p" 2>/dev/null) && p=$real
        folder=${p%/*}
        [ "$folder" ] || folder=/
        t=$folder/.ops-$a
    }
    failed() {
        why=
        { IFS= read -r why <"$t.err"; } 2>/dev/null
        rm -f "$t.err"
        case $why in
            *"o space left"* | *"uota exceeded"*) say fault disk_full "$why" ;;
            *"ermission denied"* | *"ead-only file"* | *"not permitted"*) say fault path_denied "$why" ;;
            *) say fault "$1" "${why:-no word of why}" ;;
        esac
    }
"""

_PUT = """
    can_put() {
        if [ -d "$folder" ]; then :; else say fault path_missing "$folder"; return 1; fi
        if [ "$b" = directory ]; then
            [ -e "$p" ] && { [ -d "$p" ] || { say fault not_a_directory "$p"; return 1; }; }
        elif [ -d "$p" ] || [ "$slash" ]; then
            say fault not_a_file "$p"
            return 1
        fi
        [ -w "$folder" ] && [ -x "$folder" ] && return 0
        say fault path_denied "$folder"
        return 1
    }
    put() {
        locate
        can_put || return
        if [ -e "$t" ]; then
            [ -L "$t" ] && { say fault path_denied "$t is a symbolic link"; return; }
            [ -O "$t" ] || { say fault path_denied "$t belongs to somebody else"; return; }
        else
            ( umask 077; : >"$t" ) 2>"$t.err" || { failed path_denied; return; }
            rm -f "$t.err"
        fi
        was=-
        [ -f "$p" ] && was=$(size_of "$p")
        source=$t
        say put "$(size_of "$t")" "$was" "$(free_in "$folder")"
        say place "$t"
    }
    take() {
        head -c "$a" 2>"$t.err" >>"$t" || { failed disk_full; return; }
        rm -f "$t.err"
        say taken "$(size_of "$t")"
    }
    cut() {
        dd if=/dev/null of="$t" bs=1 seek="$a" count=0 2>"$t.err" || { failed copy_failed; return; }
        rm -f "$t.err"
        say taken "$a"
    }
    hash() {
        case $a in
            new) f=$t ;;
            *) f=$p ;;
        esac
        h=
        { if [ "$b" = all ]; then h=$(digest <"$f"); else h=$(head -c "$b" <"$f" | digest); fi; } 2>/dev/null
        h=${h%% *}
        say hash "${h:-none}"
    }
    wanted_mode() {
        m=$a
        [ "$m" = - ] && [ -f "$p" ] && m=$(stat -c %a "$p" 2>/dev/null || echo -)
        [ "$m" = - ] && m==rw
        chmod "$m" "$t" || return
        [ "$(id -u)" = 0 ] && [ -f "$p" ] && chown "$(stat -c %u:%g "$p")" "$t"
        return 0
    }
    finish() {
        wanted_mode 2>"$t.err" && mv -f "$t" "$p" 2>"$t.err" || { failed copy_failed; return; }
        rm -f "$t.err"
        say finished changed
    }
    keep() {
        rm -f "$t"
        m=$(stat -c %a "$p" 2>/dev/null)
        case $a in
            - | "$m" | "0$m") say finished same; return ;;
        esac
        chmod "$a" "$p" 2>"$t.err" || { failed path_denied; return; }
        rm -f "$t.err"
        say finished changed
    }
    names_in() {
        case $a in
            zip) unzip -Z1 "$t" ;;
            gz) tar -tzf "$t" ;;
            *) tar -tf "$t" ;;
        esac
    }
    spread() {
        case $a in
            zip) if need unzip; then unzip -q -o "$t" -d "$t.d"; else python3 -m zipfile -e "$t" "$t.d"; fi ;;
            gz) tar -xzf "$t" -C "$t.d" ;;
            *) tar -xf "$t" -C "$t.d" ;;
        esac
    }
    unpack() {
        if [ "$a" = zip ]; then
            need unzip || need python3 || { say fault program_not_found "unzip, or python3"; return; }
        else
            need tar || { say fault program_not_found tar; return; }
        fi
        up="[.][.]"
        if names_in 2>/dev/null | grep -q -e "^/" -e "^$up/" -e "/$up/" -e "^$up$" -e "/$up$"; then
            say fault archive_invalid "a name in it leads out of the folder"
            return
        fi
        rm -rf "$t.d"
        mkdir -m 700 "$t.d" && spread 2>"$t.err" >/dev/null || {
            rm -rf "$t.d"
            failed archive_invalid
            return
        }
        if [ -d "$p" ]; then
            cp -RPp "$t.d/." "$p/" 2>"$t.err"
        else
            chmod =rwx "$t.d" && mv "$t.d" "$p" 2>"$t.err"
        fi || { rm -rf "$t.d"; failed copy_failed; return; }
        rm -rf "$t" "$t.d" "$t.err"
        say finished changed
    }
    pull() {
        IFS= read -r config
        IFS= read -r url
        if need curl; then
            echo "$config" | curl -f -sS -K - -o "$t" 2>"$t.err" &
        elif need wget; then
            echo "$url" | wget -q -i - -O "$t" 2>"$t.err" &
        else
            say fault pull_failed "there is neither curl nor wget"
            return
        fi
        echo $! >"$t.pid"
        wait $! || { rm -f "$t.pid"; failed pull_failed; return; }
        rm -f "$t.pid" "$t.err"
        say taken "$(size_of "$t")"
    }
    is_pull() {
        if [ -r /proc/self/cmdline ]; then
            grep -q -F -e "$t" "/proc/$pid/cmdline" 2>/dev/null
        else
            ps -p "$pid" -o args= 2>/dev/null | grep -q -F -e "$t"
        fi
    }
    end_pull() {
        pid=
        { read -r pid <"$t.pid"; } 2>/dev/null
        [ "$pid" ] && is_pull || { rm -f "$t.pid"; return 0; }
        kill "$pid" 2>/dev/null
        n=0
        while kill -0 "$pid" 2>/dev/null && [ "$n" -lt 40 ]; do
            n=$((n + 1))
            [ "$n" = 20 ] && kill -9 "$pid" 2>/dev/null
            sleep .05 || sleep 1
        done
        rm -f "$t.pid"
    }
    drop() {
        locate
        end_pull
        rm -rf "$t" "$t.d" "$t.err"
        rm -rf "${TMPDIR:-/tmp}/.ops-$a"
        if [ -e "$t" ]; then say left; else say dropped; fi
    }
"""

_GET = """
    pack() {
        t=${TMPDIR:-/tmp}/.ops-$a
        mkdir -m 700 "$t" 2>/dev/null
        [ -O "$t" ] && [ -d "$t" ] || { say fault path_denied "$t belongs to somebody else"; return 1; }
        if [ -e "$t/whole" ]; then :; else
            tar -C "$p" -czf "$t/pack" . 2>"$t.err" || { rm -rf "$t"; failed copy_failed; return 1; }
            rm -f "$t.err"
            : >"$t/whole"
        fi
        p=$t/pack
    }
    get() {
        locate
        if [ -e "$p" ]; then :; else say fault path_missing "$p"; return; fi
        if [ "$b" = directory ]; then
            if [ -d "$p" ]; then :; else say fault not_a_directory "$p"; return; fi
            [ -r "$p" ] && [ -x "$p" ] || { say fault path_denied "$p"; return; }
            need tar || { say fault program_not_found tar; return; }
            pack || return
        else
            if [ -f "$p" ]; then :; else say fault not_a_file "$p"; return; fi
            [ -r "$p" ] || { say fault path_denied "$p"; return; }
        fi
        source=$p
        say get "$(size_of "$p")"
        say place "$p"
    }
    send() {
        tail -c "+$((a + 1))" <"$source" | head -c "$b"
        say sent
    }
"""

_MAIN = """
    IFS= read -r nonce
    t=
    while IFS=" " read -r order a b; do
        case $order in
            put) put ;;
            take) take ;;
            cut) cut ;;
            hash) hash ;;
            finish) finish ;;
            keep) keep ;;
            unpack) unpack ;;
            pull) pull ;;
            get) get ;;
            send) send ;;
            drop) drop ;;
        esac
    done
    exit 0
"""

COPY = ShellText.of(_COMMON + _PUT + _GET + _MAIN)
"""First line of stdin: the nonce. Then orders, each answered by one line, `fault <code> <detail>` among them.

- `put <task> file|directory`, then the destination: `put <bytes there already> <size of the old file or ->
  <free KiB>` and `place <path>`, where the bytes go.
- `cut <n>`, `take <n>` with n bytes behind it, or `pull` with a line for curl and one for wget: `taken <n>`.
- `hash new|old <n>|all`: `hash <hex>|none`.
- `finish <mode>|-` moves it into place, `keep <mode>|-` leaves the old one, `unpack zip|gz|tar` spreads it
  out: `finished changed|same`.
- `get <task> file|directory`, then the source: `get <size>` and `place <path>`.
- `send <offset> <n>`: n bytes, then `sent`.
- `drop <task>`, then the path: removes what is left, `dropped`.
"""
