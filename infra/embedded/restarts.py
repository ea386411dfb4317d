"""When a service that died is started again. Pure: times come in, a decision goes out."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """Wait 1 s, then 2 s, 4 s … up to 30 s; give up at the fifth death within 60 s. All in seconds."""

    first_delay: float = 1.0
    longest_delay: float = 30.0
    deaths: int = 5
    within: float = 60.0


def restart_delay(deaths: Sequence[float], policy: RestartPolicy) -> float | None:
    """Seconds to wait after the last of these deaths (ascending times), None to give up.

    The delay doubles while each death follows the one before within `policy.within`; a longer life resets it.
    """
    last = deaths[-1]
    if sum(last - death < policy.within for death in deaths) >= policy.deaths:
        return None
    streak = 1
    for earlier, later in zip(reversed(deaths[:-1]), reversed(deaths), strict=False):
        if later - earlier >= policy.within:
            break
        streak += 1
    doubled = policy.first_delay * 2.0 ** min(streak - 1, 32)
    return min(doubled, policy.longest_delay)
