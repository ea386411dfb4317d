"""Every kind there is, in the order in which they need one another."""

from cli.client.problems import CliError
from cli.kinds.credential import CredentialKind
from cli.kinds.documents import Kind
from cli.kinds.job import JobKind
from cli.kinds.target import TargetKind

KINDS: tuple[Kind, ...] = (CredentialKind(), TargetKind(), JobKind())
BY_NAME = {kind.name: kind for kind in KINDS}


def kind_of(word: str) -> Kind:
    """By any of its spellings: job, jobs, Job. Raises `CliError`."""
    for kind in KINDS:
        if word.lower() in {kind.name.lower(), kind.plural}:
            return kind
    raise CliError(f"There is no kind {word!r}.", hints=(f"There are {', '.join(k.plural for k in KINDS)}.",))
