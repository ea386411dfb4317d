"""Why a step did not succeed: one catalogue for attempts, connection tests, UI texts and docs.

`retry` says what a repeated try could bring. `SAFE`: nothing has happened on the target, so trying again is
safe and may help. `POLICY`: the target acted and reported failure, the job's policy decides. `NEVER`: trying
again changes nothing or does harm (a rejected password locks accounts).
"""

from contracts.causes import acting, admission, files, http, ours, reaching, ssh, waits
from contracts.causes.model import Cause, Retry, filled

__all__ = ["CAUSES", "Cause", "Retry", "catalogue", "filled"]


def catalogue(*causes: Cause) -> dict[str, Cause]:
    """Causes by code; ValueError when two share one."""
    found = {cause.code: cause for cause in causes}
    if len(found) < len(causes):
        raise ValueError("two causes share a code")
    return found


CAUSES: dict[str, Cause] = catalogue(
    *reaching.CAUSES,
    *admission.CAUSES,
    *acting.CAUSES,
    *files.CAUSES,
    *http.CAUSES,
    *ssh.CAUSES,
    *waits.CAUSES,
    *ours.CAUSES,
)
