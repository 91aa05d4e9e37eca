"""What a file of services is made of: fields that are all named, values that do not change."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Declared(BaseModel):
    """What a file declares: a misspelt field is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")
