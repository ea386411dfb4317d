"""Causes of a file not getting where it should."""

from contracts.causes.model import Cause, Retry

CAUSES = (
    Cause(
        "artifact_missing",
        Retry.NEVER,
        "The file this step needs is not in the artifact store: {detail}.",
        "It may have expired or been deleted: upload it again, or see whether the step it names has run.",
    ),
    Cause(
        "artifact_ambiguous",
        Retry.NEVER,
        "Several files could be meant, and none of them comes from {host}: {detail}.",
        "Let the step that brings the file back run on one target only, or give the artifact's id as src.",
    ),
    Cause(
        "artifact_too_large",
        Retry.NEVER,
        "The file is larger than files may be here: {detail}.",
        "Raise OPS_ARTIFACT_MAX_BYTES, or copy less.",
    ),
    Cause(
        "path_missing",
        Retry.NEVER,
        "There is no such path on {host}: {detail}.",
        "Check the spelling; the folder a file is copied into must exist.",
    ),
    Cause(
        "path_denied",
        Retry.NEVER,
        "{user} may not read or write there on {host}: {detail}.",
        "Give the account the right to, or choose another folder. A file in use cannot be replaced either.",
    ),
    Cause(
        "path_invalid",
        Retry.NEVER,
        "{host} cannot use this as a path: {detail}.",
        "Give a full path without characters that the system forbids in names.",
    ),
    Cause(
        "not_a_directory",
        Retry.NEVER,
        "A folder is needed on {host}, and this is a file: {detail}.",
        "Choose another path, or leave `directory` out to copy a single file.",
    ),
    Cause(
        "not_a_file",
        Retry.NEVER,
        "A file is needed on {host}, and this is none, but a folder or a device: {detail}.",
        "Name the file itself, or say `directory: true` to copy the whole folder.",
    ),
    Cause(
        "disk_full",
        Retry.NEVER,
        "There is not enough free space on {host}: {detail}.",
        "Make room on that disk, or choose another one.",
    ),
    Cause(
        "hash_mismatch",
        Retry.SAFE,
        "What arrived is not what was sent ({detail}): it was removed, and the file from before stands.",
        "Run the step again; if it happens again, something between here and {host} changes data.",
    ),
    Cause(
        "archive_invalid",
        Retry.NEVER,
        "The archive cannot be unpacked on {host}: {detail}.",
        "Send a zip or tar.gz file whose names stay inside of the folder it is unpacked into.",
    ),
    Cause(
        "pull_failed",
        Retry.SAFE,
        "{host} could not fetch the file from this system: {detail}.",
        "Check that the target reaches OPS_PUBLIC_URL and trusts its certificate, or use transfer: stream.",
    ),
    Cause(
        "copy_failed",
        Retry.POLICY,
        "Copying the file failed on {host}: {detail}.",
        "The file at the destination is the one from before, or whole: never half of it.",
    ),
)
