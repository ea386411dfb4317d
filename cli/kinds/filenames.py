"""Names of objects as names of files, on every system. Pure."""

LONGEST_BYTES = 120
"""Systems take 255 with the ending; what is longer is cut."""
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}
"""Devices on Windows, whatever ending follows."""


def file_stem(name: str) -> str:
    """What a file may be called that tells of `name`, without its ending."""
    plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    stem = plain.encode()[:LONGEST_BYTES].decode(errors="ignore").strip(".") or "unnamed"
    return f"{stem}-" if stem.partition(".")[0].casefold() in _RESERVED else stem
