"""Help with sudo and jump hosts."""

from contracts.causes.help.model import Help

HELP = {
    "sudo_missing": Help(
        "There is no sudo",
        "The step asks to run as another user, and the machine has no sudo.",
        ("Install sudo there.", "Or log in as that user, and leave sudo out of the step."),
        ("step.sudo", "step.credential"),
    ),
    "sudo_denied": Help(
        "sudo does not allow it",
        "sudo knows the account and refuses: its rules do not allow to run a shell as the user wanted.",
        (
            "On the machine, as that account: `sudo -l` shows what it may.",
            "Allow it to run /bin/sh as the user, in a file below /etc/sudoers.d.",
        ),
        ("step.sudo",),
    ),
    "sudo_rejected": Help(
        "sudo did not accept the password",
        "sudo asked for a password and rejected the one of the credential. It is tried once only, because "
        "repeated tries lock accounts.",
        ("Store the right sudo_password in the credential; without one its password is used.",),
        ("target.credential_id", "step.credential"),
    ),
    "sudo_password_missing": Help(
        "sudo asks for a password",
        "sudo wants a password, and the credential holds none: it logs in by a key.",
        (
            "Give the credential a sudo_password.",
            "Or allow the account NOPASSWD in the sudoers of the machine.",
        ),
        ("target.credential_id", "step.credential"),
    ),
    "sudo_tty": Help(
        "sudo insists on a terminal",
        "The sudoers of the machine say requiretty: sudo runs in a terminal only.",
        ("Add `Defaults:USER !requiretty` to the sudoers.", "Or say `pty: true` in the step."),
        ("step.pty",),
    ),
    "jump_missing": Help(
        "The jump host cannot be used",
        "The target is reached through another target, and that one does not exist, has no credential, or "
        "there are too many in a row.",
        ("Name a target that exists and has a credential of its own; at most three in a row.",),
        ("target.ssh.jump_host",),
    ),
    "jump_rejected": Help(
        "The jump host rejected the login",
        "On the way to the target stands a jump host, and it refused its own account. Its credential is on "
        "hold there now, because repeated tries lock accounts.",
        (
            "Open the target of the jump host and test its connection.",
            "Rotate its credential, or release it with a reason.",
        ),
        ("target.ssh.jump_host", "target.credential_id"),
    ),
    "jump_refused": Help(
        "The jump host does not pass connections on",
        "The login to the jump host worked, and then it refused to connect to the target.",
        (
            "In its sshd_config: AllowTcpForwarding yes, and PermitOpen for this target.",
            "On the jump host, see whether the target can be reached from there.",
        ),
        ("target.ssh.jump_host",),
    ),
}
