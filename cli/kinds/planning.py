"""What applying documents would do, decided and checked before anything is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError

from cli.client.api import Api
from cli.client.problems import CliError
from cli.kinds.credential import missing_secrets, secret_names
from cli.kinds.documents import Document, Fault, Kind, Ref
from cli.kinds.registry import BY_NAME, KINDS
from cli.kinds.stored import Stored, exported, in_full, read_stored, with_labels
from cli.kinds.ways import jump_faults, jumps_first
from cli.kinds.yamltexts import written
from contracts.errors import Invalid
from contracts.naming import SOURCE_LABEL

Action = Literal["created", "changed", "unchanged", "deleted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One object: `before` and `text` are its documents as files, `tag` is the ETag of what was compared."""

    kind: Kind
    name: str
    action: Action
    before: str | None
    text: str | None
    after: dict[str, Any] | None
    labels: Mapping[str, str] = field(default_factory=dict)
    document: Document | None = None
    view: Mapping[str, Any] | None = None
    tag: str | None = None
    new_secrets: bool = False

    @property
    def ref(self) -> Ref:
        return self.kind.name, self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for. `secrets`: by credential, the source of each field that the command line names."""

    source: str | None = None
    prune: bool = False
    take_over: bool = False
    rotate: bool = False
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """In the order in which it has to be done."""

    changes: list[Change] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    ids: dict[Ref, str] = field(default_factory=dict)

    def differs(self) -> bool:
        return any(change.action != "unchanged" for change in self.changes)


async def plan(api: Api, documents: Sequence[Document], wish: Wish) -> Plan:
    """Compares with what is stored, and finds everything that would be refused; changes nothing."""
    stored = await read_stored(api)
    refs = {document.ref for document in documents}
    full = await in_full(api, stored, BY_NAME, lambda ref: ref in refs)
    made = Plan(ids=stored.ids())
    doomed = stored.owned_by(wish.source) - refs if wish.prune and wish.source else set()
    left = (stored.views.keys() | refs) - doomed
    made.faults += [fault for document in documents for fault in _dangling(document, left)]
    made.faults += jump_faults(documents, stored)
    _refuse_unknown_secrets(documents, wish)
    by_place = sorted(documents, key=lambda document: KINDS.index(document.kind))
    for document in jumps_first(by_place):
        change, faults = _compared(document, full.get(document.ref), wish)
        made.changes.append(change)
        made.faults += faults
    made.faults += await _refused_jobs(api, made.changes, refs)
    made.faults += _still_needed(stored, doomed, made.changes)
    made.changes += await _deletions(api, stored, doomed)
    return made


def _dangling(document: Document, left: set[Ref]) -> list[Fault]:
    return [
        document.origin.fault(
            reference.path, f"there is no {reference.to[0].lower()} named {reference.to[1]}"
        )
        for reference in document.kind.references(document.parsed)
        if reference.to not in left
    ]


def _compared(
    document: Document, found: tuple[dict[str, Any], str | None] | None, wish: Wish
) -> tuple[Change, list[Fault]]:
    view, tag = found or (None, None)
    faults = _owner_faults(document, view, wish) + _secret_faults(document, view, wish)
    labels = _labels(document, view, wish)
    shown = {name: value for name, value in labels.items() if name != SOURCE_LABEL}
    after = with_labels(_shortest(document), shown)
    before = {} if view is None else exported(document.kind, view)
    text = written(after, document.source)
    told = None if view is None else written(before, view.get("source"))
    retold = document.source is not None and text != told
    rotated = wish.rotate and view is not None and bool(_sources(document, wish))
    if view is None:
        action: Action = "created"
    elif rotated or labels != view["labels"] or retold or not _same(document, before):
        action = "changed"
    else:
        action = "unchanged"
    change = Change(
        kind=document.kind, name=document.name, action=action, before=told, text=text, after=after,
        labels=labels, document=document, view=view, tag=tag, new_secrets=rotated or view is None,
    )  # fmt: skip
    return change, faults


def _shortest(document: Document) -> dict[str, Any]:
    """As an export would show it, so that a diff tells of meaning and not of spelling."""
    normal = document.kind.normal(document.parsed)
    metadata = normal["metadata"]
    if document.kind.name == "Target":
        view = normal["spec"] | {"name": document.name, "credential_name": normal["spec"]["credential"]}
    elif document.kind.name == "Job":
        view = metadata | {"definition": document.parsed.spec}
    else:
        view = metadata | normal["spec"]
    return document.kind.exported(view)


def _same(document: Document, before: dict[str, Any]) -> bool:
    """Whether both mean the same; a stored one that this version cannot read differs."""
    kind = document.kind
    try:
        parsed = kind.model.model_validate(before)
        return kind.normal(parsed) == kind.normal(document.parsed)
    except (ValidationError, Invalid):
        return False


def _labels(document: Document, view: Mapping[str, Any] | None, wish: Wish) -> dict[str, str]:
    known = {} if view is None else dict(view["labels"])
    given = document.parsed.metadata.labels
    owner = {name: value for name, value in known.items() if name == SOURCE_LABEL}
    labels = known if given is None else owner | dict(given)
    return labels | ({SOURCE_LABEL: wish.source} if wish.source else {})


def _owner_faults(document: Document, view: Mapping[str, Any] | None, wish: Wish) -> list[Fault]:
    owner = None if view is None else view["labels"].get(SOURCE_LABEL)
    if wish.source is None or owner in {None, wish.source} or wish.take_over:
        return []
    reason = f"{document.name} belongs to the source {owner}; to make it yours: --take-over"
    return [document.origin.fault("metadata.name", reason)]


def _sources(document: Document, wish: Wish) -> dict[str, Any]:
    """By field, where each secret of a credential comes from; the command line goes first."""
    if document.kind.name != "Credential":
        return {}
    return dict(document.parsed.spec.secrets) | dict(wish.secrets.get(document.name, {}))


def _secret_faults(document: Document, view: Mapping[str, Any] | None, wish: Wish) -> list[Fault]:
    if document.kind.name != "Credential":
        return []
    kind = document.parsed.spec.type
    if view is not None and view["type"] != kind.value:
        reason = (
            f"is {view['type']} on the server: the type of a credential stays; give this one another name"
        )
        return [document.origin.fault("spec.type", reason)]
    given = _sources(document, wish)
    missing = missing_secrets(kind, given)
    if missing is None or (view is not None and not (wish.rotate and given)):
        return []
    field_name = missing.split()[0]
    option = f"--secret {document.name}.{field_name}=@FILE (or env:NAME, or prompt)"
    return [document.origin.fault("spec", f"is new and needs its {missing}: {option}")]


def _refuse_unknown_secrets(documents: Sequence[Document], wish: Wish) -> None:
    known = {d.name: secret_names(d.parsed.spec.type) for d in documents if d.kind.name == "Credential"}
    for name, fields in wish.secrets.items():
        if name not in known:
            raise CliError(f"--secret {name}: there is no document of a credential of that name.")
        if unfit := [one for one in fields if one not in known[name]]:
            raise CliError(f"--secret {name}.{unfit[0]}: it has {', '.join(known[name])}.")


async def _refused_jobs(api: Api, changes: Sequence[Change], refs: set[Ref]) -> list[Fault]:
    """What the server would say to each job; a target that these documents make does not count as missing."""
    faults = []
    for change in changes:
        document = change.document
        if change.kind.name != "Job" or change.action == "unchanged" or document is None:
            continue
        body = change.kind.body(document.parsed, {})
        answer = await api.post("/api/v1/jobs/validate", body)
        coming = {r.path for r in change.kind.references(document.parsed) if r.to in refs}
        for problem in answer["problems"]:
            path = f"spec.{problem['path']}"
            if path not in coming and path.removesuffix(".0") not in coming:
                faults.append(document.origin.fault(path, problem["message"]))
    return faults


def _still_needed(stored: Stored, doomed: set[Ref], changes: Sequence[Change]) -> list[Fault]:
    """Credentials that would go while targets that stay need them."""
    after = {change.name: change.after for change in changes if change.kind.name == "Target"}
    faults = []
    for (kind, name), view in stored.views.items():
        if kind != "Target" or (kind, name) in doomed:
            continue
        document = after.get(name)
        needed = view["credential_name"] if document is None else document["spec"].get("credential")
        if ("Credential", needed) in doomed:
            faults.append(Fault("--prune", 0, f"credential {needed} would go, but target {name} needs it"))
    return faults


async def _deletions(api: Api, stored: Stored, doomed: set[Ref]) -> list[Change]:
    """Who needs others goes first."""
    full = await in_full(api, stored, BY_NAME, lambda ref: ref in doomed)
    order = [kind.name for kind in reversed(KINDS)]
    return [
        Change(
            kind=BY_NAME[ref[0]], name=ref[1], action="deleted",
            before=written(exported(BY_NAME[ref[0]], view), view.get("source")),
            text=None, after=None, view=view, tag=tag,
        )
        for ref, (view, tag) in sorted(full.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    ]  # fmt: skip
