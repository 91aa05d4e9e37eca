"""Services as a file declares them, and what is said of those that it may not."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.scoring.service import Service

WORKSPACE = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-r/providers"
    "/Microsoft.MachineLearningServices/workspaces/ws-r"
)


def declared(**fields: Any) -> Service:
    """A plumber service, and what a test says of it."""
    return Service.model_validate(
        {"name": "weight", "kind": "http", "url": "https://r.example", "preset": "plumber"} | fields
    )


def refusal(**fields: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        declared(**fields)
    return str(refused.value.errors(include_input=False)[0]["msg"])
