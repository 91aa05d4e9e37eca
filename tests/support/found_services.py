"""Scoring services as Azure lists them; a test names only what matters to it."""

from datetime import datetime
from typing import Any

from shared.scoring.azure import FoundService, SignIn
from shared.scoring.azure_word import AzureWord
from shared.scoring.service import Kind

RESOURCES = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-r/providers"
WORKSPACE = f"{RESOURCES}/Microsoft.MachineLearningServices/workspaces/ws-R"
OTHER = f"{RESOURCES}/Microsoft.MachineLearningServices/workspaces/ws-other"


def azure_word(*, seen_at: datetime, **changes: Any) -> AzureWord:
    """What Azure says of a v1 web service; `changes` as `found` takes them."""
    return AzureWord(found=found(**({"kind": Kind.AML_V1} | changes)), seen_at=seen_at)


def found(
    name: str = "weight",
    *,
    kind: Kind = Kind.AML_ONLINE,
    workspace: str = WORKSPACE,
    **changes: Any,
) -> FoundService:
    part = "onlineEndpoints" if kind is Kind.AML_ONLINE else "services"
    plain: dict[str, Any] = {
        "runs_on": "Managed",
        "scoring_uri": f"https://{name}.westeurope.inference.ml.azure.com/score",
        "sign_in": SignIn.KEY,
        "state": "Succeeded",
    }
    return FoundService(
        id=f"{workspace}/{part}/{name}",
        name=name,
        workspace_id=workspace,
        kind=kind,
        **(plain | changes),
    )
