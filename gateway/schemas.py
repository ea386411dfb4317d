"""What request bodies have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A body in which an unknown field is a mistake, not ignored."""

    model_config = ConfigDict(extra="forbid")


Reason = Annotated[str, Field(min_length=1, max_length=1_000)]
