"""What a target is asked, in the lines that contracts/targets/facts.py reads.

The shell text needs POSIX sh and what is there: nothing of it fails where a tool is missing (Linux with or
without busybox, macOS, the BSDs). The PowerShell text runs on Windows PowerShell 3.0 and later.
"""

SH = r"""
LC_ALL=C PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin
export LC_ALL PATH
say() { [ -z "$2" ] || printf '%s=%s\n' "$1" "$2"; }
have() { command -v "$1" >/dev/null 2>&1; }
ctl() { sysctl -n "$1" 2>/dev/null; }
first() { IFS= read -r line && printf '%s\n' "$line"; }
system=$(uname -s)
say os_family "$(printf '%s' "$system" | tr 'A-Z' 'a-z')"
say kernel "$(uname -r)"
say architecture "$(uname -m)"
say hostname "$(uname -n)"
say fqdn "$(hostname -f 2>/dev/null | first)"
say now "$(date +%s)"
case $system in
Linux)
    release=/etc/os-release
    [ -r $release ] || release=/usr/lib/os-release
    [ -r $release ] && (
        . $release
        say os_name "$NAME"
        say os_version "${VERSION_ID:-$BUILD_ID}"
    )
    kb=$(sed -n 's/^MemTotal: *\([0-9]*\) kB.*/\1/p' /proc/meminfo 2>/dev/null)
    [ "$kb" ] && say memory_bytes "$((kb * 1024))"
    cpus=$(getconf _NPROCESSORS_ONLN 2>/dev/null || nproc 2>/dev/null || grep -c '^processor' /proc/cpuinfo)
    say cpu_count "$cpus"
    say boot_time "$(sed -n 's/^btime //p' /proc/stat 2>/dev/null)"
    ;;
Darwin)
    say os_name "$(sw_vers -productName)"
    say os_version "$(sw_vers -productVersion)"
    say build "$(sw_vers -buildVersion)"
    say memory_bytes "$(ctl hw.memsize)"
    say cpu_count "$(ctl hw.ncpu)"
    say boot_time "$(ctl kern.boottime | sed -n 's/.*[{ ]sec = \([0-9]*\).*/\1/p')"
    ;;
*)
    say os_name "$system"
    say os_version "$(uname -r)"
    say build "$(uname -v)"
    say memory_bytes "$(ctl hw.physmem64 || ctl hw.physmem)"
    say cpu_count "$(ctl hw.ncpu)"
    boot=$(ctl kern.boottime)
    case $boot in *sec\ =*) boot=$(printf '%s' "$boot" | sed -n 's/.*[{ ]sec = \([0-9]*\).*/\1/p') ;; esac
    say boot_time "$boot"
    ;;
esac
if have ip; then
    ip -o addr show scope global 2>/dev/null | while read -r _ _ _ address _; do say ip "${address%%/*}"; done
else
    ifconfig -a 2>/dev/null | while read -r kind address _; do
        case $kind in inet | inet6) ;; *) continue ;; esac
        address=${address#addr:}
        case $address in 127.* | ::1* | fe80:* | "") ;; *) say ip "${address%%[/%]*}" ;; esac
    done
fi
df -kP 2>/dev/null | while read -r device blocks _ free _ mount; do
    case $device in Filesystem | tmpfs | devtmpfs | udev | devfs | none | shm | proc | map) continue ;; esac
    case $blocks$free in *[!0-9]*) continue ;; esac
    case $mount in /proc/* | /sys/* | /dev | /dev/* | /run/* | /snap/*) continue ;; esac
    printf 'disk=%s\t%s\t%s\n' "$mount" "$((blocks * 1024))" "$((free * 1024))"
done
exit 0
"""

POWERSHELL = r"""
$ErrorActionPreference = 'Stop'
$os = Get-CimInstance -ClassName Win32_OperatingSystem
$computer = Get-CimInstance -ClassName Win32_ComputerSystem
"os_family=windows"
"os_name=$($os.Caption)"
"os_version=$($os.Version)"
"build=$($os.BuildNumber)"
"kernel=$($os.Version)"
"architecture=$($env:PROCESSOR_ARCHITECTURE)"
"hostname=$($computer.Name)"
if ($computer.PartOfDomain) { "fqdn=$($computer.Name).$($computer.Domain)" }
"cpu_count=$($computer.NumberOfLogicalProcessors)"
"memory_bytes=$($computer.TotalPhysicalMemory)"
"boot_time=$($os.LastBootUpTime.ToUniversalTime().ToString('o'))"
"now=$($os.LocalDateTime.ToUniversalTime().ToString('o'))"
foreach ($disk in (Get-CimInstance -ClassName Win32_LogicalDisk -Filter 'DriveType=3')) {
    "disk=$($disk.DeviceID)`t$($disk.Size)`t$($disk.FreeSpace)`t$($disk.FileSystem)"
}
foreach ($card in (Get-CimInstance -ClassName Win32_NetworkAdapterConfiguration -Filter 'IPEnabled=TRUE')) {
    foreach ($address in $card.IPAddress) { "ip=$address" }
}
"""
