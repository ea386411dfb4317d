"""Causes on our own side."""

from contracts.causes.model import Cause, Retry

CAUSES = (
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
