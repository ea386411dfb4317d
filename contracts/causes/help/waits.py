"""Help with reboots and facts."""

from contracts.causes.help.model import Help

HELP = {
    "reboot_refused": Help(
        "The machine refused to reboot",
        "The account may log in, but not order a reboot. The machine is still running as before.",
        (
            "Linux: use root, or an account with sudo without a password.",
            "Windows: use an administrator.",
        ),
        ("target.credential_id", "step.credential"),
    ),
    "facts_unreadable": Help(
        "The machine did not tell its facts",
        "A small script asks the machine about itself, and its answer could not be understood.",
        (
            "The output holds what it said.",
            "The account needs a POSIX shell, or PowerShell with access to CIM.",
        ),
    ),
}
