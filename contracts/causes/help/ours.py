"""Help with causes on our own side."""

from contracts.causes.help.model import Help

HELP = {
    "step_invalid": Help(
        "The step cannot be executed as it is written",
        "Something about the step shows only when it runs: a value that a shell cannot take where it "
        "stands, an option that does not fit its target. Nothing has happened on the machine.",
        ("The message says what and where.", "Correct the job, or the value, and run it again."),
    ),
    "target_missing": Help(
        "The target was removed",
        "The run was accepted while the target existed, and it was removed before the step could begin.",
        ("Choose another target in the job, or create it anew.",),
        ("step.target",),
    ),
    "dead_lettered": Help(
        "A message about this work was set aside",
        "A message that should have moved this work on could not be handled again and again. It was set "
        "aside as a dead letter, which stops the work until somebody decides.",
        (
            "Open the dead letter: it holds the first error.",
            "When the reason is gone, replay it, and the work goes on. Or discard it with a reason.",
        ),
    ),
    "internal": Help(
        "Something failed inside OpsConductor",
        "This is a mistake of ours, not of your job or your machine.",
        (
            "Look into the log of the executor: it holds the whole error under the id of the task.",
            "Please report it, with that part of the log.",
        ),
    ),
}
