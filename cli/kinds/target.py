"""Targets as documents: the credential and the jump host by name."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field

from cli.kinds.documents import Envelope, Kind, Ref, Reference, Strict
from contracts.naming import ResourceName
from contracts.tables.targets import TargetOs
from contracts.targets.specs import Hostname, Pool, SshSettings, TagName, Tags, WinrmSettings
from contracts.topology import DEFAULT_POOL


class TargetSpec(Strict):
    os: TargetOs
    hostname: Hostname
    credential: ResourceName | None = None
    tags: Tags | list[TagName] = Field(default_factory=dict)
    pool: Pool = DEFAULT_POOL
    winrm: WinrmSettings = WinrmSettings()
    ssh: SshSettings = SshSettings()

    def tag_map(self) -> dict[str, str]:
        return self.tags if isinstance(self.tags, dict) else dict.fromkeys(self.tags, "")


class TargetDocument(Envelope):
    kind: Literal["Target"]
    spec: TargetSpec


class TargetKind(Kind):
    name = "Target"
    plural = "targets"
    model = TargetDocument

    def references(self, document: TargetDocument) -> Iterable[Reference]:
        if document.spec.credential is not None:
            yield Reference(("Credential", document.spec.credential), "spec.credential")
        if document.spec.ssh.jump_host is not None:
            yield Reference(("Target", document.spec.ssh.jump_host.target), "spec.ssh.jump_host.target")

    def normal(self, document: TargetDocument) -> dict[str, Any]:
        spec = document.spec.model_dump(mode="json") | {"tags": document.spec.tag_map()}
        return {"metadata": {"name": document.metadata.name}, "spec": spec}

    def exported(self, view: Mapping[str, Any]) -> dict[str, Any]:
        spec: dict[str, Any] = {"os": view["os"], "hostname": view["hostname"]}
        if view["credential_name"] is not None:
            spec["credential"] = view["credential_name"]
        if view["tags"]:
            spec["tags"] = view["tags"]
        if view["pool"] != DEFAULT_POOL:
            spec["pool"] = view["pool"]
        for name, model in (("winrm", WinrmSettings), ("ssh", SshSettings)):
            settings = model.model_validate(view[name]).model_dump(mode="json", exclude_defaults=True)
            if settings:
                spec[name] = settings
        return self.wrapped({"name": view["name"]}, spec)

    def body(self, document: TargetDocument, ids: Mapping[Ref, str]) -> dict[str, Any]:
        spec = self.normal(document)["spec"]
        credential = spec.pop("credential")
        named = None if credential is None else ids["Credential", credential]
        return {"name": document.metadata.name, "credential_id": named, **spec}
