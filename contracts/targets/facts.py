"""What a target can tell of itself: the names, the units, and how they are read from what a host printed.

A host prints lines `name=value`; `disk=` and `ip=` may come more than once, a disk with its fields apart by
tabs: mount, bytes in all, bytes free, file system. Lines that are none of this are skipped, so that a chatty
login shell does no harm.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

GIB = 1024**3
MOST_ENTRIES = 200
MOST_DIGITS = 18
_LINE = re.compile(r"([a-z_]{1,32})=(.{1,500})")
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_TEXTS = ("os_family", "os_name", "os_version", "kernel", "build", "architecture", "hostname", "fqdn")


def read_facts(printed: str) -> dict[str, Any]:
    """The facts in what a host printed; empty when it tells none.

    `os_family, os_name, os_version, kernel, build, architecture, hostname, fqdn` (texts), `cpu_count`,
    `memory_bytes`, `memory_gb` (GiB), `boot_time` (ISO 8601, UTC), `uptime_seconds`, `ips` (texts) and
    `disks` (`mount, filesystem, size_gb, free_gb`). What a host does not tell is left out.
    """
    told: dict[str, list[str]] = {}
    for line in printed.splitlines():
        if found := _LINE.fullmatch(line.strip()):
            told.setdefault(found[1], []).append(_UNFIT.sub("", found[2]).strip())
    facts: dict[str, Any] = {name: told[name][-1] for name in _TEXTS if told.get(name, [""])[-1]}
    for name, read in _READERS.items():
        if name in told:
            facts |= read(told[name][-1])
    facts |= _times(told)
    if ips := list(dict.fromkeys(told.get("ip", [])))[:MOST_ENTRIES]:
        facts["ips"] = ips
    if disks := [disk for one in told.get("disk", []) if (disk := _disk(one))][:MOST_ENTRIES]:
        facts["disks"] = disks
    return facts


def _count(text: str) -> dict[str, Any]:
    number = _whole(text)
    return {"cpu_count": number} if number else {}


def _memory(text: str) -> dict[str, Any]:
    number = _whole(text)
    return {"memory_bytes": number, "memory_gb": _gib(number)} if number else {}


_READERS: Mapping[str, Callable[[str], dict[str, Any]]] = {"cpu_count": _count, "memory_bytes": _memory}


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else 0


def _gib(number: int) -> float:
    return round(number / GIB, 2)


def _times(told: Mapping[str, list[str]]) -> dict[str, Any]:
    """By the host's own clock, so that it does not matter whether ours agrees."""
    now, boot = (_moment(told.get(name, [""])[-1]) for name in ("now", "boot_time"))
    if boot is None:
        return {}
    times: dict[str, Any] = {"boot_time": boot.isoformat(timespec="seconds").replace("+00:00", "Z")}
    if now is not None and now >= boot:
        times["uptime_seconds"] = int((now - boot).total_seconds())
    return times


def _moment(text: str) -> datetime | None:
    """Seconds since 1970, or ISO 8601."""
    try:
        if text.isascii() and text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _disk(line: str) -> dict[str, Any] | None:
    mount, size, free, system = (*(part.strip() for part in line.split("\t")), "", "", "", "")[:4]
    total = _whole(size)
    if not mount or not total:
        return None
    disk = {"mount": mount, "size_gb": _gib(total), "free_gb": _gib(_whole(free))}
    return disk | ({"filesystem": system} if system else {})
