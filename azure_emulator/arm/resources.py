"""The generic list of resources, which azureml-core asks for workspaces.

Source: learn.microsoft.com/rest/api/resources/resources/list (2021-04-01 and later).
"""

import json
import re
from collections.abc import Iterable

from azure_emulator.answers import Answer, AzureError
from azure_emulator.arm.call import PROVIDER, Call
from azure_emulator.arm.paging import page
from azure_emulator.estate.estate import Workspace

_TYPE = f"{PROVIDER}/workspaces"
_BY_TYPE = re.compile(r"^\s*resourceType\s+eq\s+'([^']+)'\s*$", re.IGNORECASE)


def list_resources(call: Call) -> Answer:
    """GET resources of a subscription; of the filters only `resourceType eq '...'` is known."""
    return _page(call, call.subscription.workspaces.values())


def list_resources_of_group(call: Call) -> Answer:
    group = call.names["group"].lower()
    return _page(call, (w for (of, _), w in call.subscription.workspaces.items() if of == group))


def _page(call: Call, workspaces: Iterable[Workspace]) -> Answer:
    wanted = _wanted_type(call.query.get("$filter"))
    found = list(workspaces) if wanted in {None, _TYPE.lower()} else []
    return page(call, found, encode=_wire)


def _wanted_type(text: str | None) -> str | None:
    if not text:
        return None
    match = _BY_TYPE.match(text)
    if match is None:
        message = f"The emulator does not know the filter {text}"
        raise AzureError(501, "NotImplemented", message)
    return match[1].lower()


def _wire(workspace: Workspace) -> bytes:
    seed = workspace.seed
    document = {
        "id": workspace.id,
        "name": seed.name,
        "type": _TYPE,
        "kind": seed.kind,
        "location": seed.location,
        "sku": {"name": "Basic", "tier": "Basic"},
        "tags": dict(seed.tags),
    }
    return json.dumps(document).encode()
