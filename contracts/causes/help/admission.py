"""Help with not being let in, or not being given room."""

from contracts.causes.help.model import Help

HELP = {
    "auth_rejected": Help(
        "The login was rejected",
        "The machine was reached and refused user name and secret. Because repeated tries lock accounts, "
        "nothing is tried again with this version of the credential on this machine: it is on hold there "
        "until somebody gives it another secret or releases it.",
        (
            "Rotate the credential: store the right password or key. That lifts the hold by itself.",
            (
                "Windows: write a local account as `.\\user`, one of a domain as `DOMAIN\\user` or "
                "`user@domain`."
            ),
            (
                "Linux: see whether the server allows this way to log in (PasswordAuthentication, "
                "authorized_keys)."
            ),
            "See on the machine whether the account is locked, expired or disabled.",
        ),
        ("target.credential_id", "target.winrm.transport", "step.credential"),
    ),
    "credential_held": Help(
        "The credential is on hold",
        "A machine rejected this version of the credential before, so it was not tried here. Without that, a "
        "run on many machines would lock the account everywhere.",
        (
            "Rotate the credential with its right secret, then run again.",
            "If the secret is right (the account was locked, say), release the hold with a reason.",
        ),
        ("target.credential_id", "step.credential"),
    ),
    "no_free_session": Help(
        "All sessions of the account are in use",
        "Machines allow one account only so many sessions at once. The connection test found none free and "
        "did not log in. Steps of runs wait for their turn instead.",
        (
            "Wait until a run there has ended, and test again.",
            "If the machine can bear more, raise the limit of the target.",
        ),
        ("target.winrm.max_concurrent", "target.ssh.max_concurrent"),
    ),
    "auth_unsupported": Help(
        "The machine does not offer this kind of login",
        "The target is set to a way of logging in that the machine does not have switched on. Basic, for "
        "example, is switched off on Windows by default. No password was sent.",
        (
            "Choose one that the machine offers: the connection test lists them. ntlm nearly always works.",
            "Or switch it on there: `winrm get winrm/config/service/auth`.",
        ),
        ("target.winrm.transport",),
    ),
    "transport_not_installed": Help(
        "The executor lacks a package for this login",
        "credssp and kerberos need packages that are not part of the plain installation.",
        (
            "On the executors: install `opsconductor[credssp]` or `opsconductor[kerberos]`.",
            "Or choose ntlm for the target.",
        ),
        ("target.winrm.transport",),
    ),
    "kerberos_failed": Help(
        "Kerberos gave no ticket for the machine",
        "With kerberos the executor needs a ticket for the name of the machine's service (HTTP/NAME). It got "
        "none: the name is not the one in the domain, a clock is off, the realm is not configured, or there "
        "is no ticket for the account.",
        (
            "Use the full domain name of the machine as hostname, or say its service name.",
            "Compare the clocks: more than five minutes apart is too much.",
            "On the executor: `klist` and `kvno HTTP/NAME` say what is missing; see krb5.conf.",
        ),
        ("target.hostname", "target.winrm.kerberos_hostname_override", "target.winrm.kerberos_delegation"),
    ),
    "certificate_unusable": Help(
        "The client certificate cannot be used",
        "The credential holds a certificate and a private key, and they cannot be read or do not belong "
        "together.",
        (
            "Store both in PEM form, the key with its passphrase if it has one.",
            "Check that the key belongs to the certificate, and that it has not expired.",
        ),
        ("target.credential_id",),
    ),
    "access_denied": Help(
        "The account may not manage this machine",
        "User name and secret are right, but the account has no right to remote management. For local "
        "administrators other than the built-in one, Windows takes away their rights over the network unless "
        "a registry value says otherwise.",
        (
            "Add the account to Administrators or Remote Management Users on the machine.",
            "Local administrator: set LocalAccountTokenFilterPolicy to 1 (HKLM, Policies, System).",
        ),
        ("target.credential_id",),
    ),
    "encryption_required": Help(
        "The machine refuses unencrypted messages",
        "WinRM over http was asked for without encrypting the messages, and the machine insists on it, as it "
        "should.",
        (
            "Use ntlm, kerberos or credssp: they encrypt messages over http.",
            "Or use https.",
        ),
        ("target.winrm.transport", "target.winrm.scheme", "target.winrm.message_encryption"),
    ),
    "credential_missing": Help(
        "There is no credential for this step",
        "The step has to log in to its target, and the target has no credential, or one of a type that does "
        "not fit, such as an API key for an SSH login.",
        (
            "Give the target a credential of the right type.",
            "Or name one in the step itself.",
        ),
        ("target.credential_id", "step.credential"),
    ),
    "credential_unreadable": Help(
        "The credential cannot be opened here",
        "Secrets are sealed to a public key, and only executors with its private key can open them. This "
        "executor does not have the key this version was sealed to, usually after a rotation of keys that "
        "did not reach every executor.",
        (
            "Give every executor the whole ring of private keys, the old ones included, and restart it.",
            "`opsconductor doctor` tells which keys an executor has.",
            "If the key is lost, so is the secret: rotate the credential.",
        ),
        ("OPS_SEAL_PRIVATE_KEY", "OPS_SEAL_PUBLIC_KEY"),
    ),
    "private_key_unreadable": Help(
        "The SSH key cannot be used",
        "The private key of the credential is not in a form that can be read, or its passphrase is wrong.",
        (
            "Store the whole file, from `-----BEGIN` to `-----END`, in PEM or OpenSSH form.",
            "Give the passphrase when the key has one: `ssh-keygen -y -f KEY` asks for it.",
        ),
        ("target.credential_id",),
    ),
    "shell_unusable": Help(
        "The account has no usable shell",
        "The login worked, and then the machine did not answer as a POSIX shell does: the account's shell is "
        "nologin or a menu, or a forced command answers in its place.",
        (
            "Give the account a login shell that runs /bin/sh.",
            "Remove `command=` from its authorized_keys, or ForceCommand from sshd_config.",
        ),
    ),
    "workspace_unusable": Help(
        "There is nowhere to put the step's files",
        "Over SSH each attempt keeps its script, output and exit code in a folder of its own, so that "
        "another executor can go on if one is lost. No such folder could be made.",
        (
            "Give the account a home folder, or a /tmp, that it can write to.",
            "Make free space, and see whether the file system is mounted read-only.",
        ),
    ),
    "quota": Help(
        "The machine has no room for another shell",
        "Windows limits remote shells per user and in all. They are used up, by us or by other tools, some "
        "of which leave shells behind. Nothing has happened there; it is tried again where the step allows "
        "it.",
        (
            "See who holds shells: `winrm enumerate shell`.",
            "Raise MaxShellsPerUser or MaxConcurrentUsers on the machine.",
            "Or let fewer steps run there at once.",
        ),
        ("target.winrm.max_concurrent", "step.retry"),
    ),
}
