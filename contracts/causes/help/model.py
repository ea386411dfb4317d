"""What the help of a cause is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Help:
    """A cause in plain words, for somebody who meets it for the first time.

    `title` names it in a few words, `why` says what is behind it, `steps` what to do, the likeliest first.
    `settings` are where it is decided: `step.timeoutSec`, `target.winrm.scheme`, `OPS_EGRESS_ALLOW`.
    """

    title: str
    why: str
    steps: tuple[str, ...]
    settings: tuple[str, ...] = ()
