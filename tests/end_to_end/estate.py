"""Builders of seed documents: a valid estate, of which a test names only what matters."""

from typing import Any

SUBSCRIPTION = "8f4b6a1e-3c27-4d58-9b0e-5a7c1d2e3f40"
OTHER_SUBSCRIPTION = "c2d9e7f3-6b14-4a80-8e5d-91f0a3b7c864"
RESOURCE_GROUP = "rg-ml"

Document = dict[str, Any]


def an_instance(name: str, *, state: str | None = "Running", **behaviour: Any) -> Document:
    return {"name": name, "state": state, "behaviour": behaviour}


def a_workspace(name: str, *instances: Document, **attributes: Any) -> Document:
    return {
        "name": name,
        "resource_group": RESOURCE_GROUP,
        "computes": list(instances),
        **attributes,
    }


def an_estate(*workspaces: Document, subscription: str = SUBSCRIPTION, **rest: Any) -> Document:
    """One subscription; `rest` are other members of the seed document."""
    return {"subscriptions": [{"id": subscription, "workspaces": list(workspaces)}], **rest}


def workspace_id(name: str, *, subscription: str = SUBSCRIPTION) -> str:
    return (
        f"/subscriptions/{subscription}/resourceGroups/{RESOURCE_GROUP}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{name}"
    )


def instance_id(workspace: str, name: str) -> str:
    return f"{workspace_id(workspace)}/computes/{name}"
