"""Help with steps that were stopped, and with those of which nobody knows how they ended."""

from contracts.causes.help.model import Help

_LOOK = (
    "Look at the machine to see what the command did.",
    "Then resolve the task as succeeded or failed, with how you know; the run goes on from there.",
    "If the step may safely run twice, say so: delivery: at_least_once. Then it is repeated instead.",
)

HELP = {
    "timed_out": Help(
        "The step took longer than it may",
        "A step may take so many seconds. They were over, so the command and everything it had started were "
        "stopped on the machine, and that was verified.",
        (
            "Read the end of the output: what was it doing?",
            "If it needs that long, raise the limit.",
            "A command that waits for an answer (a prompt, a lock) never ends: make it not ask.",
        ),
        ("step.timeoutSec",),
    ),
    "idle_timed_out": Help(
        "The command was silent for too long",
        "The step names the longest silence it may keep. The command wrote nothing for longer and was "
        "stopped.",
        (
            "Raise the limit, or let the command say now and then that it is alive.",
            "See whether it waited for an answer that nobody gives.",
        ),
        ("step.idleTimeoutSec",),
    ),
    "cancelled": Help(
        "The run was cancelled",
        "Somebody cancelled the run while this step was under way. The command was stopped on the machine.",
        ("The trail of the run tells who did it and when.", "Run it again, from this step on if you like."),
    ),
    "worker_shutdown": Help(
        "The executor was shut down",
        "The executor was told to stop and could not finish this step in time, nor hand it over. It stopped "
        "the command on the machine and verified that.",
        ("Run it again.", "Give executors more time to finish what they do before they stop."),
        ("OPS_DRAIN_SECONDS", "step.retry"),
    ),
    "worker_lost": Help(
        "The executor was lost",
        "The executor that ran this step vanished: a crash, a power cut, a lost network. Another one tried "
        "to find the command again and could not, so nobody knows whether it ran to its end.",
        _LOOK,
        ("step.delivery", "OPS_LEASE_SECONDS"),
    ),
    "not_verified": Help(
        "Nobody confirmed that the command stopped",
        "The step was told to stop, and the machine did not confirm it in time. The command may still run.",
        _LOOK[:2],
        ("step.timeoutSec",),
    ),
    "connection_lost": Help(
        "The connection broke while the command ran",
        "The command had started when the connection was lost, and it could not be found again. Whether it "
        "finished is not known.",
        _LOOK,
        ("step.delivery",),
    ),
    "shell_vanished": Help(
        "The remote shell is gone",
        "The shell that ran the command does not exist any more: the machine was rebooted, the WinRM service "
        "restarted, or somebody ended the session. Whether the command finished is not known.",
        (
            *_LOOK[:2],
            "If the step reboots the machine, use wait.reboot for that: it knows how to wait for it.",
        ),
        ("step.delivery",),
    ),
}
