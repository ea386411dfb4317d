"""What request bodies have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A body in which an unknown field is a mistake, not ignored."""

    model_config = ConfigDict(extra="forbid")


ResourceName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[^\x00-\x1f\x7f]+$")]
Reason = Annotated[str, Field(min_length=1, max_length=1_000)]
