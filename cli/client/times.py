"""Moments as people type them: `15m`, `24h`, `7d` ago, a day, or ISO 8601."""

import re
from datetime import datetime, timedelta

from cli.client.problems import CliError
from infra.clock import now

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str | None) -> str | None:
    """The moment as ISO 8601 with a zone; a time without one is local. Raises `CliError`."""
    if text is None:
        return None
    if ago := _AGO.fullmatch(text.strip()):
        return (now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).isoformat()
    try:
        return datetime.fromisoformat(text.strip()).astimezone().isoformat()
    except (ValueError, OverflowError):
        hint = "Write it as 15m, 24h or 7d (ago), 2026-01-31 or 2026-01-31T08:00:00+01:00."
        raise CliError(f"{text!r} is no moment.", hints=(hint,)) from None
