"""The help of every cause: built in, so that it can be read where there is no way out to the net."""

from contracts.causes import CAUSES, Retry
from contracts.causes.help import acting, admission, files, http, ours, reaching, ssh, stopping, waits
from contracts.causes.help.model import Help

__all__ = ["GROUPS", "HELP", "RETRY_WORDS", "Help", "what_it_says"]

GROUPS: dict[str, dict[str, Help]] = {
    "Reaching a machine": reaching.HELP,
    "Being let in": admission.HELP,
    "Commands": acting.HELP,
    "Stopped, or not known": stopping.HELP,
    "Files": files.HELP,
    "HTTP requests": http.HELP,
    "sudo and jump hosts": ssh.HELP,
    "Reboots and facts": waits.HELP,
    "OpsConductor itself": ours.HELP,
}
"""By what somebody was doing, in the order of a run."""

HELP: dict[str, Help] = {code: help_ for group in GROUPS.values() for code, help_ in group.items()}

RETRY_WORDS: dict[Retry, str] = {
    Retry.SAFE: "Nothing has happened on the machine. It is tried again where the step says so, safely.",
    Retry.POLICY: "The machine may have acted. Whether it is tried again is what the step says in `retry`.",
    Retry.NEVER: "It is not tried again by itself: that would change nothing, or do harm.",
}

_SPOKEN = {"{host}": "HOST", "{port}": "PORT", "{user}": "USER", "{detail}": "…"}


def what_it_says(code: str) -> str:
    """The message of a cause as it reads in any case of it, with HOST for the host's name."""
    text = CAUSES[code].message
    for placeholder, words in _SPOKEN.items():
        text = text.replace(placeholder, words)
    return text
