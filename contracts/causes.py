"""Why a step did not succeed: one catalogue for attempts, connection tests, UI texts and docs.

`retry` says what a repeated try could bring. `SAFE`: nothing has happened on the target, so trying again is
safe and may help. `POLICY`: the target acted and reported failure, the job's policy decides. `NEVER`: trying
again changes nothing or does harm (a rejected password locks accounts).
"""

from dataclasses import dataclass
from enum import StrEnum


class Retry(StrEnum):
    SAFE = "safe"
    POLICY = "policy"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Cause:
    """A typed cause. `message` and `hint` may hold `{host}`, `{port}`, `{user}`, `{detail}`."""

    code: str
    retry: Retry
    message: str
    hint: str


def _catalogue(*causes: Cause) -> dict[str, Cause]:
    catalogue = {cause.code: cause for cause in causes}
    if len(catalogue) < len(causes):
        raise ValueError("two causes share a code")
    return catalogue


CAUSES: dict[str, Cause] = _catalogue(
    # -- getting there
    Cause(
        "name_unresolved",
        Retry.NEVER,
        "The host name {host} does not resolve from this worker.",
        "Check the spelling, or use an address this worker's DNS knows.",
    ),
    Cause(
        "unreachable",
        Retry.SAFE,
        "Nothing answers on {host}:{port} ({detail}).",
        "Host down, firewall, or wrong port. Windows: run `winrm quickconfig`; Linux: is sshd running?",
    ),
    Cause(
        "tls_untrusted",
        Retry.NEVER,
        "The certificate of {host}:{port} is not trusted: {detail}.",
        "Add its CA to the target, pin its fingerprint, or set verify_tls to false knowingly.",
    ),
    Cause(
        "tls_protocol_mismatch",
        Retry.NEVER,
        "{host}:{port} does not speak TLS.",
        "Plain WinRM usually listens on 5985 with scheme http, TLS on 5986 with scheme https.",
    ),
    Cause(
        "tls_required",
        Retry.NEVER,
        "{host}:{port} speaks TLS, not plain HTTP.",
        "Set the target's scheme to https, or use the port of its http listener, usually 5985.",
    ),
    Cause(
        "service_unavailable",
        Retry.SAFE,
        "The service on {host}:{port} takes no requests now ({detail}).",
        "It is starting or overloaded; on Windows see the WinRM service and its event log.",
    ),
    Cause(
        "not_winrm",
        Retry.NEVER,
        "{host}:{port} answered, but not as WinRM does ({detail}).",
        "Another web server may own the port, or the WinRM URL prefix was changed.",
    ),
    Cause(
        "not_ssh",
        Retry.NEVER,
        "{host}:{port} answered, but not as SSH does ({detail}).",
        "Check the port: SSH usually listens on 22.",
    ),
    Cause(
        "host_key_unknown",
        Retry.NEVER,
        "The SSH host key of {host} is not pinned yet.",
        "Compare the fingerprint {detail} with the host's own and store it as ssh.host_key.",
    ),
    Cause(
        "host_key_mismatch",
        Retry.NEVER,
        "{host} shows another SSH host key than the pinned one ({detail}).",
        "If the host was reinstalled, pin the new key; otherwise somebody may stand in between.",
    ),
    Cause(
        "host_key_invalid",
        Retry.NEVER,
        "The SSH host key pinned for {host} cannot be read: {detail}.",
        "Store it as ssh.host_key in OpenSSH form: `ssh-ed25519 AAAA…`, several one a line.",
    ),
    Cause(
        "ssh_algorithms",
        Retry.NEVER,
        "{host}:{port} and this worker have no SSH algorithms in common ({detail}).",
        "The SSH server is too old or too restricted; enable current algorithms on it.",
    ),
    # -- being let in
    Cause(
        "auth_rejected",
        Retry.NEVER,
        "{host} rejected user {user}: {detail}.",
        "Check user and password or key. Local Windows accounts: write `.\\user`. Not tried again, "
        "because repeated tries lock accounts.",
    ),
    Cause(
        "auth_unsupported",
        Retry.NEVER,
        "{host} does not offer the chosen authentication ({detail}).",
        "Choose a transport the server offers, for example ntlm.",
    ),
    Cause(
        "access_denied",
        Retry.NEVER,
        "{user} is known to {host} but may not use remote management.",
        "Add the account to Administrators or Remote Management Users.",
    ),
    Cause(
        "encryption_required",
        Retry.NEVER,
        "{host} refuses unencrypted messages.",
        "Use the ntlm transport (it encrypts messages) or scheme https.",
    ),
    Cause(
        "credential_missing",
        Retry.NEVER,
        "The target {host} has no credential that fits this step.",
        "Give the target a credential of the right type.",
    ),
    Cause(
        "credential_unreadable",
        Retry.NEVER,
        "The credential of {host} cannot be opened: {detail}.",
        "The executor lacks the private key it was sealed to; add that key to its ring.",
    ),
    Cause(
        "private_key_unreadable",
        Retry.NEVER,
        "The private key of {user} for {host} cannot be used: {detail}.",
        "Store it in PEM or OpenSSH form, with its passphrase when it has one.",
    ),
    Cause(
        "shell_unusable",
        Retry.NEVER,
        "{host} let {user} in, but did not answer as a POSIX shell does ({detail}).",
        "The account needs a login shell that can run /bin/sh, without a forced command.",
    ),
    Cause(
        "workspace_unusable",
        Retry.NEVER,
        "There is no room of its own for the step on {host}: {detail}.",
        "The account needs a home folder or a /tmp it can write to, with free space.",
    ),
    Cause(
        "quota",
        Retry.SAFE,
        "{host} has no room for another remote shell: {detail}.",
        "Other tools may leak shells; see MaxShellsPerUser and MaxConcurrentUsers on the host.",
    ),
    # -- acting
    Cause(
        "exit_code",
        Retry.POLICY,
        "The command ended with exit code {detail}.",
        "The output of the step says more.",
    ),
    Cause(
        "program_not_found",
        Retry.NEVER,
        "The program was not found on {host}: {detail}.",
        "Check the spelling and the PATH of the account.",
    ),
    Cause(
        "script_not_run",
        Retry.NEVER,
        "The shell of {host} ended without running the script: {detail}.",
        "AppLocker, constrained language mode or an antivirus may forbid it; nothing of the script has run.",
    ),
    Cause(
        "scripts_disabled",
        Retry.POLICY,
        "{host} does not allow scripts to run (exit code {detail}).",
        "A group policy sets the execution policy; allow scripts there for this account.",
    ),
    Cause(
        "memory_quota",
        Retry.POLICY,
        "The command ran out of memory on {host} (exit code {detail}).",
        "See MaxMemoryPerShellMB (1024) on the host, or run the work as a scheduled task.",
    ),
    Cause(
        "message_too_large",
        Retry.NEVER,
        "{host} does not accept messages as large as the ones this step needs.",
        "Raise MaxEnvelopeSizekb on the host to its default of 500 or more.",
    ),
    Cause(
        "remote_fault",
        Retry.NEVER,
        "{host} answered with a fault: {detail}.",
        "The number names it: search for it with WSMan, or see the WinRM event log of the host.",
    ),
    Cause(
        "timed_out",
        Retry.POLICY,
        "The step ran longer than its {detail} s and was stopped.",
        "Raise timeoutSec, or find out why it takes so long.",
    ),
    Cause(
        "cancelled",
        Retry.NEVER,
        "The step was stopped because the run was cancelled.",
        "Re-run it when wanted.",
    ),
    Cause(
        "worker_shutdown",
        Retry.SAFE,
        "The worker was shut down and stopped the step on its target.",
        "Run it again.",
    ),
    Cause(
        "worker_lost",
        Retry.POLICY,
        "The worker that ran the step was lost ({detail}).",
        "Whether the command ran is not known: look at the target, then resolve the task.",
    ),
    Cause(
        "not_verified",
        Retry.NEVER,
        "The step was told to stop, but {host} did not confirm it ({detail}).",
        "Look at the target, then resolve the task.",
    ),
    Cause(
        "connection_lost",
        Retry.POLICY,
        "The connection to {host} was lost after the command had started ({detail}).",
        "Whether it finished is not known: look at the target, then resolve the task.",
    ),
    Cause(
        "shell_vanished",
        Retry.POLICY,
        "The remote shell on {host} vanished while the command ran ({detail}).",
        "Usually a reboot or a service restart: look at the target, then resolve the task.",
    ),
    # -- on our side
    Cause(
        "step_invalid",
        Retry.NEVER,
        "The step cannot be executed as it is written: {detail}.",
        "Correct the job and run the new version.",
    ),
    Cause(
        "target_missing",
        Retry.NEVER,
        "The target of this step no longer exists.",
        "Choose another target in the job.",
    ),
    Cause(
        "dead_lettered",
        Retry.NEVER,
        "A message about this work could not be handled and was discarded: {detail}.",
        "See the dead letter for the first error.",
    ),
    Cause(
        "internal",
        Retry.NEVER,
        "The step failed inside OpsConductor: {detail}.",
        "This is a bug; the worker's log holds the traceback.",
    ),
)
