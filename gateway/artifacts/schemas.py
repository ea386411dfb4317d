"""What clients see of artifacts, and what an upload says about itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Header, Query
from pydantic import BaseModel

from contracts.tables.artifacts import ArtifactOrigin

ArtifactName = Annotated[str, Query(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f/\\]+$")]
Sha256 = Annotated[str | None, Query(pattern=r"^[0-9a-fA-F]{64}$", description="refused unless it fits")]
Digest = Annotated[str | None, Header(max_length=1_000)]


class ArtifactView(BaseModel):
    """A stored file. `sha256` in hex; `expires_at` is null for what is kept until somebody deletes it."""

    id: UUID
    name: str
    size: int
    sha256: str
    content_type: str
    origin: ArtifactOrigin
    run_id: UUID | None
    task_id: UUID | None
    created_by: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What an upload says before its bytes come. `sha256` in lower-case hex."""

    name: str
    content_type: str
    sha256: str | None
    declared: int | None
