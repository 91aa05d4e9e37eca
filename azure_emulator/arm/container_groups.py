"""Container groups: list, read, PUT, tags, start, stop, restart, and what containers print.

Source: Microsoft.ContainerInstance 2025-09-01. Errors as Azure words them: InaccessibleImage,
ContainerGroupTransitioning, InvalidContainerGroupUpdate.
"""

import json
from typing import Any

from azure_emulator.answers import JSON_TYPE, Answer, AzureError, Headers, json_answer
from azure_emulator.arm import request_body
from azure_emulator.arm.call import Call, not_found
from azure_emulator.arm.container_group_resource import TYPE, group_wire
from azure_emulator.arm.paging import page
from azure_emulator.clock import zulu
from azure_emulator.container_group_seed import (
    ContainerGroupBehaviour,
    GroupDocument,
    TagsDocument,
)
from azure_emulator.estate.container_groups import ContainerGroup

# An update changes none of them (container-instances-update, Properties that require deletion).
_FIXED = {"osType": "Linux", "restartPolicy": "Always", "sku": "Standard"}


def list_by_subscription(call: Call) -> Answer:
    return _page(call, list(call.subscription.container_groups.values()))


def list_by_resource_group(call: Call) -> Answer:
    call.require_resource_group()
    wanted = call.names["group"].lower()
    groups = call.subscription.container_groups.items()
    return _page(call, [each for (group, _), each in groups if group == wanted])


def get_group(call: Call) -> Answer:
    return _answer(call, _group(call))


def put_group(call: Call) -> Answer:
    """200 for an update, 201 for a new group; what is not said is gone."""
    request_body.parse(call.body, GroupDocument)
    document: dict[str, Any] = json.loads(call.body)
    known = call.subscription.container_groups.get(_key(call))
    behaviour = known.behaviour if known else ContainerGroupBehaviour()
    if not behaviour.accepts_any_image:
        _require_images(call, document)
    if known:
        _require_settled(known)
        _require_updatable(known, document)
    group = known or _new_group(call)
    call.estate.container_instances.put(group, document)
    return _answer(call, group, status=200 if known else 201)


def delete_group(call: Call) -> Answer:
    """200 with what was there, 204 where nothing was."""
    call.require_resource_group()
    group = call.subscription.container_groups.get(_key(call))
    if group is None:
        return Answer(status=204)
    answer = _answer(call, group)
    call.estate.container_instances.delete(group)
    del call.subscription.container_groups[_key(call)]
    return answer


def patch_group(call: Call) -> Answer:
    """Replace the tags; nothing else can be patched, and nothing is started anew."""
    group = _group(call)
    tags = request_body.parse(call.body, TagsDocument).tags
    group.document = {**group.document, "tags": dict(tags)}
    return _answer(call, group)


def restart(call: Call) -> Answer:
    group = _group(call)
    _require_settled(group)
    if group.stopped:
        message = f"The container group '{group.name}' is stopped and cannot be restarted."
        raise AzureError(409, "ContainerGroupStopped", message)
    call.estate.container_instances.restart(group)
    return Answer(status=204)


def start(call: Call) -> Answer:
    group = _group(call)
    if not (group.stopped or group.ended):
        return Answer(status=204)
    call.estate.container_instances.start(group)
    return Answer(status=202, headers=_followed(call, group))


def get_operation(call: Call) -> Answer:
    """GET an operation, which is named after its group: 202 until the group has settled."""
    wanted = call.names["operation"].lower()
    groups = call.subscription.container_groups.values()
    group = next((each for each in groups if each.guid == wanted), None)
    if group is None:
        raise AzureError(404, "NotFound", f"The operation '{wanted}' could not be found.")
    if group.provisioning_state == "Pending":
        return Answer(status=202, headers=_followed(call, group))
    return json_answer({"id": call.path, "name": group.guid, "status": group.provisioning_state})


def stop(call: Call) -> Answer:
    call.estate.container_instances.stop(_group(call))
    return Answer(status=204)


def get_logs(call: Call) -> Answer:
    """GET logs?tail=n&timestamps=true: what the process of the container prints, all as it starts."""
    group, name = _group(call), call.names["container"]
    container = group.containers.get(name)
    if container is None:
        message = f"The container '{name}' is not found in container group '{group.name}'."
        raise AzureError(404, "ContainerNotFound", message)
    lines = (container.image.seed.logs if container.image else "").splitlines(keepends=True)
    tail, started_at = call.query.get("tail", ""), container.current.started_at
    shown = lines[max(len(lines) - int(tail), 0) :] if tail.isdecimal() else lines
    if call.query.get("timestamps", "").lower() == "true" and started_at is not None:
        shown = [f"{zulu(started_at)} {line}" for line in shown]
    return json_answer({"content": "".join(shown)})


def _followed(call: Call, group: ContainerGroup) -> Headers:
    location = str(group.document["location"]).lower().replace(" ", "")
    url = (
        f"{call.settings.base_url}{call.subscription.id}/providers/Microsoft.ContainerInstance"
        f"/locations/{location}/operations/{group.guid}?api-version={call.query['api-version']}"
    )
    return ((b"location", url.encode()),)


def _page(call: Call, groups: list[ContainerGroup]) -> Answer:
    return page(call, groups, encode=lambda group: group_wire(call, group, listed=True))


def _answer(call: Call, group: ContainerGroup, *, status: int = 200) -> Answer:
    return Answer(status=status, body=group_wire(call, group), headers=(JSON_TYPE,))


def _key(call: Call) -> tuple[str, str]:
    return call.names["group"].lower(), call.names["name"].lower()


def _group(call: Call) -> ContainerGroup:
    found = call.subscription.container_groups.get(_key(call))
    if found is None:
        call.require_resource_group()
        resource = f"containerGroups/{call.names['name']}"
        raise not_found(resource, group=call.names["group"], provider=TYPE.partition("/")[0])
    return found


def _new_group(call: Call) -> ContainerGroup:
    group, name = call.names["group"], call.names["name"]
    call.require_resource_group()
    made = ContainerGroup(
        name,
        resource_group_id=f"{call.subscription.id}/resourceGroups/{group}",
        behaviour=ContainerGroupBehaviour(),
    )
    call.subscription.container_groups[_key(call)] = made
    return made


def _require_images(call: Call, document: dict[str, Any]) -> None:
    for container in document["properties"]["containers"]:
        image = container["properties"]["image"]
        if call.estate.images.pull(image) is None:
            message = (
                f"The image '{image}' in container group '{call.names['name']}' is not accessible. "
                "Please check the image and registry credential."
            )
            raise AzureError(400, "InaccessibleImage", message)


def _require_settled(group: ContainerGroup) -> None:
    if group.provisioning_state == "Pending":
        message = f"The container group '{group.name}' is still transitioning, please retry later."
        raise AzureError(409, "ContainerGroupTransitioning", message)


def _require_updatable(group: ContainerGroup, document: dict[str, Any]) -> None:
    before, after = group.properties, document["properties"]
    fixed = all(
        (before.get(name) or usual) == (after.get(name) or usual) for name, usual in _FIXED.items()
    )
    same_size = _resources(before) == _resources(after)
    if group.ended or not (fixed and same_size):
        message = (
            f"The updates on container group '{group.name}' are invalid. To update the os type, "
            "restart policy, CPU, memory or GPU resources of a container group, or one that has "
            "ended, you must delete it first and then create a new one."
        )
        raise AzureError(400, "InvalidContainerGroupUpdate", message)


def _resources(properties: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each["properties"]["resources"] for each in properties["containers"]}
