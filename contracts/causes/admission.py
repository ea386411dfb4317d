"""Causes of not being let in, or not being given room."""

from contracts.causes.model import Cause, Retry

CAUSES = (
    Cause(
        "auth_rejected",
        Retry.NEVER,
        "{host} rejected user {user}: {detail}.",
        "Check user and password or key. On Windows a local account is written `.\\user`, and basic knows no "
        "others. Not tried again, because repeated tries lock accounts.",
    ),
    Cause(
        "credential_held",
        Retry.NEVER,
        "The credential of {user} is on hold and was not tried on {host}: {detail}.",
        "Give the credential its right secret (rotate it), or release it with a reason, then run again. "
        "Repeated tries lock accounts.",
    ),
    Cause(
        "no_free_session",
        Retry.SAFE,
        "{user} has all the sessions on {host} that it may have ({detail}), so the login was not tried.",
        "Wait until a run there has ended and test again, or raise max_concurrent of the target.",
    ),
    Cause(
        "auth_unsupported",
        Retry.NEVER,
        "{host} does not offer the chosen authentication ({detail}).",
        "Choose a transport the server offers, for example ntlm; Basic is disabled on Windows by default.",
    ),
    Cause(
        "transport_not_installed",
        Retry.NEVER,
        "This worker cannot log in to {host} with {detail}: a package is missing.",
        "Install opsconductor[credssp] or opsconductor[kerberos] on the executors, or choose ntlm.",
    ),
    Cause(
        "kerberos_failed",
        Retry.NEVER,
        "Kerberos did not get {user} into {host}: {detail}.",
        "Use the FQDN the host's SPN (HTTP/NAME) names, or kerberos_hostname_override; check the clock, "
        "krb5.conf, and that the executor's ticket cache holds a ticket of the account.",
    ),
    Cause(
        "certificate_unusable",
        Retry.NEVER,
        "The client certificate for {host} cannot be used: {detail}.",
        "Store certificate and private key in PEM form, with the key's passphrase when it has one.",
    ),
    Cause(
        "access_denied",
        Retry.NEVER,
        "{user} is known to {host} but may not use remote management.",
        "Add the account to Administrators or Remote Management Users. A local administrator other than the "
        "built-in one also needs LocalAccountTokenFilterPolicy=1 on the host.",
    ),
    Cause(
        "encryption_required",
        Retry.NEVER,
        "{host} refuses unencrypted messages.",
        "AllowUnencrypted is false there: use the ntlm transport (it encrypts messages) or scheme https.",
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
        "Other tools may leak shells; see MaxShellsPerUser, MaxConcurrentUsers and "
        "MaxConcurrentOperationsPerUser on the host.",
    ),
)
