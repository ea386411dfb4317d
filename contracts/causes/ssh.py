"""Causes that only SSH has: sudo, and jump hosts."""

from contracts.causes.model import Cause, Retry

CAUSES = (
    Cause(
        "sudo_missing",
        Retry.NEVER,
        "{host} has no sudo.",
        "Install it there, log in as the user the step needs, or leave sudo out of the step.",
    ),
    Cause(
        "sudo_denied",
        Retry.NEVER,
        "sudo on {host} refuses {user}: {detail}.",
        "Allow the account to run /bin/sh in the host's sudoers (`sudo -l` shows what it may).",
    ),
    Cause(
        "sudo_rejected",
        Retry.NEVER,
        "sudo on {host} did not accept the password of {user}: {detail}.",
        "Check the credential's sudo_password, or its password. Tried once only: tries lock accounts.",
    ),
    Cause(
        "sudo_password_missing",
        Retry.NEVER,
        "sudo on {host} asks for a password, and the credential of {user} holds none.",
        "Give the credential a sudo_password, or allow the account NOPASSWD in the host's sudoers.",
    ),
    Cause(
        "sudo_tty",
        Retry.NEVER,
        "sudo on {host} insists on a terminal (requiretty): {detail}.",
        "Add `Defaults:{user} !requiretty` to the host's sudoers.",
    ),
    Cause(
        "jump_missing",
        Retry.NEVER,
        "The jump host on the way to {host} cannot be used: {detail}.",
        "Name an existing target with a credential of its own as ssh.jump_host, three in a row at most.",
    ),
    Cause(
        "jump_rejected",
        Retry.NEVER,
        "The jump host {host} rejected user {user}: {detail}.",
        "Check the credential of the jump host's own target. Not tried again with the same version.",
    ),
    Cause(
        "jump_refused",
        Retry.NEVER,
        "The jump host on the way does not pass connections on to {host}:{port} ({detail}).",
        "Allow TCP forwarding for its account (AllowTcpForwarding, PermitOpen in its sshd_config).",
    ),
)
