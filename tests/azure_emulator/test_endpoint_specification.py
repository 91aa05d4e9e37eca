"""Online endpoints on the wire, held against the specification (2025-12-01, common types v3).

In our own words: the properties that may be null, enumerations in full, and what has to be there.
"""

import re
from typing import Any

from tests.azure_emulator.conftest import WORKSPACE, Arm
from tests.azure_emulator.scored import a_deployment, an_endpoint, endpoint_path, with_endpoints
from tests.azure_emulator.test_specification import MOMENTS, leaves

NULLABLE = {
    *("description", "keys", "compute", "mirrorTraffic", "traffic", "scoringUri", "swaggerUri"),
    *("model", "modelMountPath", "environmentId", "environmentVariables", "codeConfiguration"),
    *("livenessProbe", "readinessProbe", "requestSettings", "scaleSettings", "instanceType"),
    *("dataCollector", "initialDelay"),
}
ENUMERATIONS = {
    "authMode": {"AMLToken", "Key", "AADToken"},
    "publicNetworkAccess": {"Enabled", "Disabled"},
    "egressPublicNetworkAccess": {"Enabled", "Disabled"},
    "endpointComputeType": {"Managed", "Kubernetes", "AzureMLCompute"},
    "scaleType": {"Default", "TargetUtilization"},
    "createdByType": {"User", "Application", "ManagedIdentity", "Key"},
    "tier": {"Free", "Basic", "Standard", "Premium"},
}
ENDPOINT_STATES = ("Creating", "Deleting", "Succeeded", "Failed", "Updating", "Canceled")
DEPLOYMENT_STATES = (*ENDPOINT_STATES, "Scaling")
DURATION = re.compile(r"PT[\d.]+[SMH]")
DURATIONS = {"initialDelay", "period", "timeout", "maxQueueWait", "requestTimeout"}


def complaints(document: Any) -> list[tuple[str, Any]]:
    """What the specification does not let stand."""
    return [leaf for leaf in leaves(document) if not fits(*leaf)]


def fits(name: str, value: Any) -> bool:
    if value is None:
        return name in NULLABLE
    if name in ENUMERATIONS:
        return value in ENUMERATIONS[name]
    if name in DURATIONS:
        return bool(DURATION.fullmatch(value))
    return name not in MOMENTS or bool(re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{7}\+00:00", value))


def test_endpoints_of_every_mode_and_state_fit_the_specification(arm: Arm) -> None:
    modes = [
        an_endpoint(name=f"mode-{mode.lower()}", auth_mode=mode, compute=compute)
        for mode, compute in (("Key", None), ("AMLToken", "k8s"), ("AADToken", None))
    ]
    states = [
        an_endpoint(name=f"state-{state.lower()}", provisioning_state=state)
        for state in ENDPOINT_STATES
    ]
    with_endpoints(arm, *modes, *states)

    found = [arm.get(endpoint_path(each["name"])).json() for each in (*modes, *states)]

    assert [c for endpoint in found for c in complaints(endpoint)] == []
    for endpoint in found:
        assert endpoint.keys() >= {"id", "name", "type", "location", "properties", "systemData"}
        assert endpoint["type"] == "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
        assert "authMode" in endpoint["properties"]
        assert endpoint["properties"]["keys"] is None
        assert all(isinstance(n, int) for n in endpoint["properties"]["traffic"].values())


def test_deployments_of_every_state_fit_the_specification(arm: Arm) -> None:
    deployments = [
        a_deployment(f"state-{state.lower()}", provisioning_state=state, model="lm:1")
        for state in DEPLOYMENT_STATES
    ]
    with_endpoints(arm, an_endpoint(deployments=deployments))

    found = [
        arm.get(f"{endpoint_path()}/deployments/{each['name']}").json() for each in deployments
    ]

    assert [c for deployment in found for c in complaints(deployment)] == []
    for deployment in found:
        kind = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments"
        assert deployment["type"] == kind
        assert deployment["location"]
        assert deployment["properties"]["endpointComputeType"] == "Managed"
        assert deployment["sku"].keys() >= {"name", "capacity"}


def test_keys_and_tokens_have_the_properties_of_the_specification(arm: Arm) -> None:
    with_endpoints(arm, an_endpoint(), an_endpoint(name="tokens", auth_mode="AMLToken"))

    keys = arm.post(f"{endpoint_path()}/listKeys").json()
    token = arm.post(f"{endpoint_path('tokens')}/token").json()

    assert all(isinstance(keys[name], str) for name in ("primaryKey", "secondaryKey"))
    assert token.keys() == {"accessToken", "tokenType", "expiryTimeUtc", "refreshAfterTimeUtc"}
    assert isinstance(token["expiryTimeUtc"], int)
    assert isinstance(token["refreshAfterTimeUtc"], int)


def test_a_list_has_a_value_and_a_next_link_only_where_there_is_more(arm: Arm) -> None:
    with_endpoints(arm, an_endpoint())

    assert arm.get(f"{WORKSPACE}/onlineEndpoints").json().keys() == {"value"}
    assert arm.get(f"{endpoint_path()}/deployments").json().keys() == {"value"}
