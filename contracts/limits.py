"""Size limits that every side agrees on. Bytes unless a name says otherwise."""

MESSAGE_BYTES = 64 * 1024
"""One broker message, envelope excluded."""

CHUNK_BYTES = 64 * 1024
"""One stored and streamed piece of output."""

BODY_BYTES = 1024 * 1024
"""One JSON request body."""

PIECE_BYTES = 1024 * 1024
"""One stored piece of an artifact: every piece but the last has exactly this size."""

PARAMETER_BYTES = 64 * 1024
"""One parameter value: it travels as an environment variable on some shells."""

PARAMETER_ITEMS = 500
"""Choices of one parameter, and how many of them may be chosen at once."""

HANDLE_BYTES = 4 * 1024
"""What a plug-in stores to find its command again after a worker was lost."""

OUTPUT_HEAD_BYTES = 4 * 1024 * 1024
"""Output of one attempt kept from its beginning."""

OUTPUT_TAIL_BYTES = 1024 * 1024
"""Output of one attempt kept from its end, once the head is full."""

TASKS_PER_MESSAGE = 64
RUNS_PER_MESSAGE = 64
TARGETS_PER_RUN = 100_000
STEPS_PER_JOB = 100
"""Counts that keep one message, one plan and one page small."""
