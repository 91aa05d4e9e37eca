"""Tenants, subscriptions, resource groups and the resource provider's registration.

Sources: learn.microsoft.com/rest/api/resources (subscriptions 2022-12-01, resource groups and
providers 2021-04-01).
"""

import json
from typing import Any

from azure_emulator.answers import Answer, AzureError, json_answer
from azure_emulator.arm.call import PROVIDER, Call
from azure_emulator.arm.paging import page
from azure_emulator.estate.estate import Subscription, Workspace

_REGIONS = ["West Europe", "North Europe", "East US", "East US 2", "UK South"]
_TYPES = ["workspaces", "workspaces/computes", "locations/vmSizes", "operations"]


def list_subscriptions(call: Call) -> Answer:
    """GET /subscriptions: those in which the caller was granted anything."""
    subscriptions = call.estate.subscriptions.values()
    seen = [s for s in subscriptions if call.grants.sees(call.caller, subscription_id=s.id)]
    return page(call, seen, encode=lambda found: json.dumps(_subscription(call, found)).encode())


def get_subscription(call: Call) -> Answer:
    return json_answer(_subscription(call, call.subscription))


def list_tenants(call: Call) -> Answer:
    tenant_id = call.estate.tenant_id
    tenant = {
        "id": f"/tenants/{tenant_id}",
        "tenantId": tenant_id,
        "displayName": "Emulated tenant",
        "tenantCategory": "Home",
    }
    return json_answer({"value": [tenant]})


def list_resource_groups(call: Call) -> Answer:
    groups = list(call.subscription.resource_groups().values())
    return page(call, groups, encode=lambda group: json.dumps(_resource_group(group)).encode())


def get_resource_group(call: Call) -> Answer:
    call.require_resource_group()
    group = call.subscription.resource_groups()[call.names["group"].lower()]
    return json_answer(_resource_group(group))


def list_locations(call: Call) -> Answer:
    subscription_id = call.subscription.id
    names = [(region.lower().replace(" ", ""), region) for region in _REGIONS]
    return json_answer(
        {
            "value": [
                {
                    "id": f"{subscription_id}/locations/{name}",
                    "name": name,
                    "displayName": region,
                    "regionalDisplayName": region,
                    "type": "Region",
                }
                for name, region in names
            ]
        }
    )


def get_provider(call: Call) -> Answer:
    """GET a resource provider's registration; only Microsoft.MachineLearningServices is known."""
    namespace = call.names["namespace"]
    if namespace.lower() != PROVIDER.lower():
        message = f"The resource namespace '{namespace}' is invalid."
        raise AzureError(404, "InvalidResourceNamespace", message)
    return json_answer(_provider(call.subscription))


def _provider(subscription: Subscription) -> dict[str, Any]:
    kinds = [
        {"resourceType": kind, "locations": _REGIONS, "apiVersions": ["2025-12-01", "2024-10-01"]}
        for kind in _TYPES
    ]
    return {
        "id": f"{subscription.id}/providers/{PROVIDER}",
        "namespace": PROVIDER,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": "Registered" if subscription.seed.registered else "NotRegistered",
        "resourceTypes": kinds,
    }


def _subscription(call: Call, subscription: Subscription) -> dict[str, Any]:
    return {
        "id": subscription.id,
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription.seed.id,
        "tenantId": call.estate.tenant_id,
        "displayName": subscription.seed.name,
        "state": subscription.seed.state,
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def _resource_group(workspace: Workspace) -> dict[str, Any]:
    return {
        "id": workspace.resource_group_id,
        "name": workspace.seed.resource_group,
        "type": "Microsoft.Resources/resourceGroups",
        "location": workspace.seed.location,
        "tags": {},
        "properties": {"provisioningState": "Succeeded"},
    }
