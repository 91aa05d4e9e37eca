"""Container groups for tests: seeds of them and of their images, and what the emulator saw of them."""

from collections.abc import Mapping
from typing import Any

from tests.support.emulator import EmulatorProcess

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
GROUP_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml"
    "/providers/Microsoft.ContainerInstance/containerGroups/weight"
)
REPOSITORY = "contoso.azurecr.io/weight"
GOOD = f"{REPOSITORY}:1"
GOLDEN = {"method": "GET", "path": "/weight", "content": {"response": [161.8533]}}
LIVE = {"method": "GET", "path": "/live", "content": {"status": "live"}}
WRONG = {**GOLDEN, "content": {"response": [66.2]}}
IMAGES: Mapping[str, Mapping[str, Any]] = {
    GOOD: {"answers": [GOLDEN, LIVE]},
    f"{REPOSITORY}:2": {"answers": [GOLDEN, LIVE], "logs": "The second.\n"},
    f"{REPOSITORY}:wrong": {"answers": [WRONG, LIVE]},
    f"{REPOSITORY}:crashes": {"starts": "crashes", "logs": "Error: no model\n"},
    f"{REPOSITORY}:talks": {"starts": "crashes", "logs": "the key is env-value\n"},
    f"{REPOSITORY}:never-ready": {"starts": "never_ready"},
}
REQUESTS = {"requests": {"cpu": 1, "memoryInGB": 1.5}}


def a_container(name: str = "weight", *, image: str = GOOD, **properties: Any) -> dict[str, Any]:
    return {"name": name, "properties": {"image": image, "resources": REQUESTS, **properties}}


def a_group(*containers: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    """Return the body of a PUT; without containers it has one."""
    inner = {"osType": "Linux", "containers": [*(containers or [a_container()])], **properties}
    return {"location": "westeurope", "properties": inner}


def with_group(
    emulator: EmulatorProcess,
    group: Mapping[str, Any] | None = None,
    *,
    access: Mapping[str, Any] | None = None,
    images: Mapping[str, Any] | None = None,
    **seed: Any,
) -> None:
    """Seed one group named weight; `access` and `images` (beside the usual ones) are the seed's."""
    document = a_group() if group is None else group
    subscription = {
        "id": SUBSCRIPTION,
        "workspaces": [{"name": "mlw-test"}],
        "container_groups": [{"name": "weight", **document, **seed}],
    }
    whole = {"images": {**IMAGES, **(images or {})}, "subscriptions": [subscription]}
    emulator.seed(whole | ({"access": access} if access else {}))


def seen(emulator: EmulatorProcess) -> dict[str, Any]:
    """Return the group as the control plane knows it."""
    (group,) = emulator.state()["container_groups"]
    found: dict[str, Any] = group
    return found


def push(emulator: EmulatorProcess, reference: str, **image: Any) -> str:
    """Let a tag lead to another image, and return the digest."""
    body = {"reference": reference, **image}
    reply = emulator.wire.send_json("POST", "/_emulator/images", body)
    digest: str = reply.json()["digest"]
    return digest
