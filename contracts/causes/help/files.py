"""Help with files that did not get where they should."""

from contracts.causes.help.model import Help

HELP = {
    "artifact_missing": Help(
        "The file is not in the store",
        "The step takes a file from the artifact store, and there is none of this id: it was deleted, it "
        "expired, or the step that should have brought it has not run.",
        (
            "Upload the file again and choose it.",
            "If src names a step, see whether that step ran and brought something.",
        ),
        ("step.src", "OPS_ARTIFACT_DAYS"),
    ),
    "artifact_ambiguous": Help(
        "Several files could be meant",
        "src names a step that brought back a file from more than one machine, and none of them is this one.",
        ("Let that step run on one target only.", "Or give the id of the file as src."),
        ("step.src",),
    ),
    "artifact_too_large": Help(
        "The file is larger than allowed",
        "Files of the store have a largest size, so that one step cannot fill the disk.",
        ("Copy less, or pack it.", "Whoever runs this system can raise the limit."),
        ("OPS_ARTIFACT_MAX_BYTES",),
    ),
    "path_missing": Help(
        "There is no such path",
        "The machine has no file or folder there. The folder a file is copied into has to exist already.",
        ("Check the spelling, and the drive on Windows.", "Create the folder in a step before."),
        ("step.src", "step.dest"),
    ),
    "path_denied": Help(
        "The account may not read or write there",
        "The account has no right to this place, or the file is in use and cannot be replaced.",
        (
            "Give the account the right, or choose another folder.",
            "Linux: run the step with sudo.",
            "Windows: stop the service that has the file open first.",
        ),
        ("step.dest", "step.sudo", "step.credential"),
    ),
    "path_invalid": Help(
        "This cannot be a path there",
        "The path holds characters that the system of the machine forbids, or it is not a full path.",
        (r"Write a full path, such as C:\Temp\a.txt or /tmp/a.txt.",),
        ("step.src", "step.dest"),
    ),
    "not_a_directory": Help(
        "A file stands where a folder is needed",
        "The step copies a whole folder, and what is there is a file.",
        ("Choose another path.", "Or leave `directory` out to copy a single file."),
        ("step.directory", "step.dest"),
    ),
    "not_a_file": Help(
        "Something else stands where a file is needed",
        "The step copies a single file, and what is there is a folder or a device.",
        ("Name the file itself.", "Or say `directory: true` to copy the whole folder."),
        ("step.directory", "step.src"),
    ),
    "disk_full": Help(
        "There is not enough space",
        "The disk of the machine has no room for the file. The file that was there before is untouched.",
        ("Make room on that disk.", "Or choose a folder on another one."),
        ("step.dest",),
    ),
    "hash_mismatch": Help(
        "What arrived is not what was sent",
        "Every copy is compared by its SHA-256 before it is put into place. It differed, so it was removed, "
        "and the file from before stands.",
        (
            "Run the step again.",
            (
                "If it happens again, something in between changes data: an antivirus, a failing disk or "
                "network."
            ),
        ),
        ("step.retry",),
    ),
    "archive_invalid": Help(
        "The archive cannot be unpacked",
        "The file is no zip or tar.gz, it is damaged, or names in it lead out of the folder it is unpacked "
        "into.",
        ("Pack it anew as zip or tar.gz, with plain relative names.",),
        ("step.directory", "step.src"),
    ),
    "pull_failed": Help(
        "The machine could not fetch the file",
        "The machine was asked to fetch the file from this system by a one-time address, and did not manage "
        "to.",
        (
            "From the machine, try to reach the public address of this system.",
            "Let it trust the certificate of that address.",
            "Or send the file through the session instead: transfer: stream.",
        ),
        ("step.transfer", "OPS_PUBLIC_URL"),
    ),
    "copy_failed": Help(
        "The copy failed",
        "Something on the machine kept the copy from being finished. At its place stands the file from "
        "before, or the whole new one: never half of it.",
        ("The message names what the machine said.", "Run the step again: a copy may be repeated."),
        ("step.retry",),
    ),
}
