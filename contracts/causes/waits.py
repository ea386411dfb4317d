"""Causes of a target not coming back, or not telling of itself."""

from contracts.causes.model import Cause, Retry

CAUSES = (
    Cause(
        "reboot_refused",
        Retry.NEVER,
        "{host} did not accept the order to reboot: {detail}.",
        "The account must be root, have sudo without a password, or be an administrator of Windows.",
    ),
    Cause(
        "facts_unreadable",
        Retry.POLICY,
        "{host} did not tell its facts: {detail}.",
        "The output holds what it said; the account needs a POSIX shell, or PowerShell with CIM.",
    ),
)
