"""Which start of a host this is, and the order to start anew.

The mark of a start is the kernel's random boot id where there is one (Linux: random(4); macOS:
kern.bootsessionuuid), otherwise the time of the start. Windows tells only the time, which moves a little when
the clock is set: two marks mean the same start while they are close.
"""

import re
from datetime import datetime

SAME_START_SECONDS = 10.0
_MARK = re.compile(r"^boot=(\S.{0,200})$", re.MULTILINE)

ASK_SH = r"""
PATH=$PATH:/usr/sbin:/sbin
for name in kernel.random.boot_id kern.bootsessionuuid kern.boottime; do
    mark=$(sysctl -n $name 2>/dev/null) && [ "$mark" ] && break
done
[ "$mark" ] || mark=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
[ "$mark" ] || mark=$(sed -n 's/^btime //p' /proc/stat 2>/dev/null)
printf 'boot=%s\n' "$mark"
"""
ASK_POWERSHELL = r"""
$ErrorActionPreference = 'Stop'
$os = Get-CimInstance -ClassName Win32_OperatingSystem
"boot=$($os.LastBootUpTime.ToUniversalTime().ToString('o'))"
"""
ORDER_SH = r"""
PATH=$PATH:/usr/sbin:/sbin
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if [ -d /run/systemd/system ]; then
    $as_root systemctl reboot
else
    $as_root shutdown -r now || $as_root reboot
fi
"""
ORDER_POWERSHELL = r"""
shutdown.exe /r /f /t 2 /c "Reboot ordered by OpsConductor"
exit $LASTEXITCODE
"""


def mark_in(printed: str) -> str | None:
    """The mark that a host printed, if it did."""
    found = _MARK.search(printed.replace("\r", ""))
    return found[1].strip() if found else None


def is_another_start(before: str, after: str) -> bool:
    """Whether two marks are of different starts."""
    times = _time(before), _time(after)
    if times[0] is None or times[1] is None:
        return before != after
    return abs((times[1] - times[0]).total_seconds()) > SAME_START_SECONDS


def _time(mark: str) -> datetime | None:
    try:
        return datetime.fromisoformat(mark) if "T" in mark else None
    except ValueError:
        return None
