"""Causes of a command not doing what it should."""

from contracts.causes.model import Cause, Retry

CAUSES = (
    Cause(
        "exit_code",
        Retry.POLICY,
        "The command ended with exit code {detail}.",
        "The output of the step says more.",
    ),
    Cause(
        "error_stream",
        Retry.POLICY,
        "The command wrote to the error stream ('{detail}').",
        "The step counts that as failure (fail_on.error_stream), whatever the exit code.",
    ),
    Cause(
        "output_pattern",
        Retry.POLICY,
        "A line of output matches the step's pattern of failure ('{detail}').",
        "The step counts that as failure (fail_on.pattern), whatever the exit code.",
    ),
    Cause(
        "output_unjudged",
        Retry.POLICY,
        "The command ended with exit code {detail}, but part of the output that decides is missing.",
        "What fail_on looks for may have stood there: look at the target, then resolve the task.",
    ),
    Cause(
        "program_not_found",
        Retry.NEVER,
        "The program was not found on {host}: {detail}.",
        "Check the spelling and the PATH of the account.",
    ),
    Cause(
        "pwsh_missing",
        Retry.NEVER,
        "PowerShell 7 (pwsh.exe) was not found on {host}.",
        "Install PowerShell 7 there for all users, or use shell: powershell.",
    ),
    Cause(
        "folder_not_found",
        Retry.NEVER,
        "The folder in which the command should start cannot be entered on {host}: {detail}.",
        "Correct the step's cwd, or create the folder before; nothing of the script has run.",
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
        "double_hop",
        Retry.POLICY,
        "The command was refused access to another machine (exit code {detail}).",
        "Its login on {host} is not handed on (double hop): use the credssp transport, "
        "kerberos_delegation, or a credential inside of the script.",
    ),
    Cause(
        "command_line_too_long",
        Retry.NEVER,
        "{host} refused the command line: {detail}.",
        "A line of more than 8191 characters: put it into a file or a PowerShell script step.",
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
        "idle_timed_out",
        Retry.POLICY,
        "The command wrote nothing for {detail} s and was stopped.",
        "Raise idleTimeoutSec, let the command say that it is alive, or find out what it waits for.",
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
)
