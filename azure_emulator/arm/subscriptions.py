"""Tenants, subscriptions, resource groups and the resource provider's registration.

Sources: learn.microsoft.com/rest/api/resources (subscriptions 2022-12-01, resource groups and
providers 2021-04-01).
"""

import json
from typing import Any

from azure_emulator.answers import Answer, AzureError, json_answer
from azure_emulator.arm import api_versions
from azure_emulator.arm.call import PROVIDER, Call
from azure_emulator.arm.paging import page
from azure_emulator.arm.resources import is_tagged, wanted_of
from azure_emulator.estate.estate import ResourceGroup, Subscription

# The types of each namespace that is emulated.
_NAMESPACES = {
    PROVIDER: ["workspaces", "workspaces/computes", "locations/vmSizes", "operations"],
    "Microsoft.ContainerInstance": ["containerGroups"],
    "Microsoft.ContainerService": ["managedClusters"],
}
_REGIONS = ["West Europe", "North Europe", "East US", "East US 2", "UK South"]


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
    """GET resource groups; filters name a tag, of which no group has any."""
    wanted = wanted_of(call)
    groups = [
        group for group in call.subscription.resource_groups().values() if is_tagged({}, wanted)
    ]
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
    """GET a resource provider's registration; only what is emulated is known."""
    asked = call.names["namespace"]
    namespace = next((each for each in _NAMESPACES if each.lower() == asked.lower()), None)
    if namespace is None:
        message = f"The resource namespace '{asked}' is invalid."
        raise AzureError(404, "InvalidResourceNamespace", message)
    return json_answer(_provider(call.subscription, namespace))


def list_providers(call: Call) -> Answer:
    return json_answer({"value": [_provider(call.subscription, each) for each in _NAMESPACES]})


def _provider(subscription: Subscription, namespace: str) -> dict[str, Any]:
    kinds = [
        {
            "resourceType": kind,
            "locations": _REGIONS,
            "apiVersions": api_versions.supported(namespace),
        }
        for kind in _NAMESPACES[namespace]
    ]
    # A seed says it of Azure ML alone.
    registered = namespace != PROVIDER or subscription.seed.registered
    return {
        "id": f"{subscription.id}/providers/{namespace}",
        "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": "Registered" if registered else "NotRegistered",
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


def _resource_group(group: ResourceGroup) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "tags": {},
        "properties": {"provisioningState": "Succeeded"},
    }
