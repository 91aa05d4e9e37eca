"""The generic list of resources: workspaces and their endpoints, container groups, AKS clusters.

Source: learn.microsoft.com/rest/api/resources/resources/list (2021-04-01 and later). Computes are no
tracked resources, and are not listed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from azure_emulator.answers import Answer, AzureError
from azure_emulator.arm import container_group_resource
from azure_emulator.arm.call import PROVIDER, Call
from azure_emulator.arm.managed_clusters import TYPE as CLUSTER_TYPE
from azure_emulator.arm.paging import page
from azure_emulator.estate.estate import Subscription, Workspace

_TYPE = f"{PROVIDER}/workspaces"
_TERM = re.compile(r"^\s*(\w+)\s+eq\s+'([^']*)'\s*$", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_FIELDS = {
    "resourcetype": "type",
    "name": "name",
    "location": "location",
    "resourcegroup": "group",
}
_TAGS = {"tagname": "tagName", "tagvalue": "tagValue"}
Resource = dict[str, Any]


def list_resources(call: Call) -> Answer:
    """GET resources of a subscription; filters compare type, name, location, group or a tag by `eq`."""
    return _page(call, group="")


def list_resources_of_group(call: Call) -> Answer:
    call.require_resource_group()
    return _page(call, group=call.names["group"])


def _page(call: Call, *, group: str) -> Answer:
    wanted = wanted_of(call, {**_FIELDS, **_TAGS})
    wanted |= {"group": group} if group else {}
    found = [each for each in _all(call.subscription) if _fits(each, wanted)]
    return page(call, found, encode=lambda each: json.dumps(each).encode())


def wanted_of(call: Call, fields: Mapping[str, str] = _TAGS) -> dict[str, str]:
    """What fields must be by `$filter`. Raises AzureError 501 for filters of other fields."""
    text = call.query.get("$filter")
    terms = [_TERM.match(term) for term in _AND.split(text)] if text else []
    known = [term for term in terms if term and term[1].lower() in fields]
    if len(known) < len(terms):
        message = f"The emulator does not know the filter {text}"
        raise AzureError(501, "NotImplemented", message)
    return {fields[term[1].lower()]: term[2] for term in known}


def _fits(resource: Resource, wanted: Mapping[str, str]) -> bool:
    shown = {**resource, "group": resource["id"].split("/")[4]}
    return is_tagged(resource["tags"], wanted) and all(
        str(shown[field]).lower() == wanted[field].lower() for field in wanted.keys() & shown.keys()
    )


def is_tagged(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Tell whether tags are as `tagName` and `tagValue` say; case counts in values alone."""
    name, value = wanted.get("tagName", "").lower(), wanted.get("tagValue")
    return not (name or value) or any(
        name in {"", known.lower()} and value in {None, shown} for known, shown in tags.items()
    )


def _all(subscription: Subscription) -> Iterator[Resource]:
    for workspace in subscription.workspaces.values():
        yield _workspace(workspace)
        yield from _endpoints(workspace)
    for group in subscription.container_groups.values():
        yield {
            "id": group.id,
            "name": group.name,
            "type": container_group_resource.TYPE,
            "location": group.document["location"],
            "tags": dict(group.document.get("tags") or {}),
        }
    for cluster in subscription.managed_clusters.values():
        seed = cluster.seed
        yield {
            "id": cluster.id,
            "name": seed.name,
            "type": CLUSTER_TYPE,
            "location": seed.location,
            "sku": {"name": "Base", "tier": "Free"},
            "tags": dict(seed.tags),
        }


def _workspace(workspace: Workspace) -> Resource:
    seed = workspace.seed
    return {
        "id": workspace.id,
        "name": seed.name,
        "type": _TYPE,
        "kind": seed.kind,
        "location": seed.location,
        "sku": {"name": "Basic", "tier": "Basic"},
        "tags": dict(seed.tags),
    }


def _endpoints(workspace: Workspace) -> Iterator[Resource]:
    for endpoint in workspace.endpoints.values():
        kind = "Kubernetes" if endpoint.seed.compute else "Managed"
        whole = {"kind": kind, "location": workspace.seed.location}
        name = f"{workspace.seed.name}/{endpoint.seed.name}"
        yield {
            "id": endpoint.id,
            "name": name,
            "type": f"{_TYPE}/onlineEndpoints",
            **whole,
            "tags": dict(endpoint.seed.tags),
        }
        for deployment in endpoint.deployments.values():
            yield {
                "id": f"{endpoint.id}/deployments/{deployment.name}",
                "name": f"{name}/{deployment.name}",
                "type": f"{_TYPE}/onlineEndpoints/deployments",
                **whole,
                "tags": dict(deployment.tags),
            }
