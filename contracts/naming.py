"""Names and labels, as every kind of thing has them."""

from typing import Annotated

from pydantic import Field

ResourceName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[^\x00-\x1f\x7f]+$")]
LabelName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")]
LabelValue = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
Labels = Annotated[dict[LabelName, LabelValue], Field(max_length=20)]
"""What tools note on a thing, such as the source that it is kept in."""

SOURCE_LABEL = "opsconductor/source"
"""Whose it is: the source of documents that made it, and that may remove it again."""
