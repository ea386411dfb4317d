"""Help with a command that did not do what it should."""

from contracts.causes.help.model import Help

HELP = {
    "exit_code": Help(
        "The command reported failure",
        "The command ran to its end and returned an exit code that the step does not count as success. What "
        "it means is the command's own business; its output usually says.",
        (
            "Read the end of the output, the error stream first.",
            "If the code means success for you (3010 of an installer, say), list it in success_codes.",
            "If the code does not matter, set fail_on.exit_code to false.",
        ),
        ("step.success_codes", "step.fail_on"),
    ),
    "error_stream": Help(
        "The command wrote to the error stream",
        "The step says that anything on the error stream counts as failure. Many programs write harmless "
        "notices there.",
        ("Read what it wrote.", "If that is harmless, take error_stream out of fail_on."),
        ("step.fail_on",),
    ),
    "output_pattern": Help(
        "The output holds what counts as failure",
        "The step names a pattern that stands for failure, and a line of the output matches it.",
        ("Look at that line in the log.", "If it is none, make the pattern narrower."),
        ("step.fail_on",),
    ),
    "output_unjudged": Help(
        "Part of the output that decides is missing",
        "Whether this is success depends on the output, and a part of it was lost when an executor was lost "
        "or a connection broke. Nobody guesses: the task is unknown until somebody looks.",
        (
            "Look at the machine to see what the command did.",
            "Then resolve the task as succeeded or failed, with how you know.",
        ),
        ("step.fail_on",),
    ),
    "program_not_found": Help(
        "A program is not there",
        "The shell could not find a program that the step calls, in the folders that the PATH of this "
        "account names. A remote login often has a shorter PATH than yours.",
        (
            "Check the spelling, and whether it is installed.",
            "Write its full path, or extend PATH in the step's env.",
        ),
        ("step.env", "step.command"),
    ),
    "pwsh_missing": Help(
        "PowerShell 7 is not installed there",
        "The step asks for PowerShell 7 (pwsh), which does not come with Windows.",
        (
            "Install it for all users on the machine.",
            "Or use shell: powershell, which is Windows PowerShell 5.1 and always there.",
        ),
        ("step.shell",),
    ),
    "folder_not_found": Help(
        "The folder to start in is not there",
        "The step names a folder to start in, and it does not exist or the account may not enter it. "
        "Nothing of the script has run.",
        ("Correct the folder, or create it in a step before.", "Check the rights of the account on it."),
        ("step.cwd",),
    ),
    "script_not_run": Help(
        "The shell ended before the script began",
        "A shell was started and ended without running the script. AppLocker, constrained language mode or "
        "an antivirus usually stands behind it. Nothing of the script has run.",
        (
            "On the machine, look at the event logs of AppLocker and of the antivirus.",
            "Allow remote PowerShell for this account there.",
        ),
    ),
    "scripts_disabled": Help(
        "The machine does not allow scripts",
        "The command started a script file, and the execution policy of the machine forbids that.",
        (
            "On the machine: `Get-ExecutionPolicy -List` shows which policy decides.",
            "Have the group policy changed for this account, or put the script's text into the step itself.",
        ),
        ("step.command",),
    ),
    "double_hop": Help(
        "The login is not handed on to another machine",
        "The command tried to reach a third machine, such as a file share. A login over the network is good "
        "for one machine only: Windows does not hand it on (the double hop).",
        (
            "Use credssp, or kerberos with delegation.",
            "Or let the script use a credential of its own for the third machine.",
            "Or copy the file with a copy step instead of a share.",
        ),
        ("target.winrm.transport", "target.winrm.kerberos_delegation"),
    ),
    "command_line_too_long": Help(
        "A command line is too long",
        "cmd takes at most 8191 characters a line, with all variables put in.",
        ("Use PowerShell, which has no such limit here.", "Or copy a file and give its path."),
        ("step.shell", "step.command"),
    ),
    "memory_quota": Help(
        "The command ran out of memory",
        "Windows limits the memory of a remote shell, everything it starts included.",
        (
            "Raise MaxMemoryPerShellMB on the machine.",
            "Or start the work as a scheduled task, which has no such limit.",
        ),
    ),
    "message_too_large": Help(
        "The machine takes smaller messages only",
        "The machine is set to accept messages smaller than the default, and this step needs larger ones.",
        ("On the machine: set MaxEnvelopeSizekb to 500 or more.",),
    ),
    "remote_fault": Help(
        "WinRM answered with an error of its own",
        "The WinRM service of the machine could not do what was asked and answered with a fault that has no "
        "better name here. The number in the message is Microsoft's.",
        (
            "Search for the number together with WSMan.",
            "See the event log Windows Remote Management on the machine.",
        ),
    ),
}
