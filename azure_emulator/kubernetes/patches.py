"""The three patches of a Kubernetes API: JSON (RFC 6902), merge (RFC 7386), strategic merge.

Source: k8s.io/apimachinery pkg/util/strategicpatch; merge keys by the `patchMergeKey` tags of
k8s.io/api apps/v1 and core/v1.
"""

import copy
from typing import Any

from jsonpath import patch as json_patch
from jsonpath.exceptions import JSONPatchError, JSONPointerError

from azure_emulator.kubernetes.errors import REJECTED, KubernetesError, bad_request

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "imagePullSecrets": "name",
    "ports": "containerPort",
    "volumeMounts": "mountPath",
    "conditions": "type",
    "ownerReferences": "uid",
}
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


def patched(current: dict[str, Any], patch: Any, *, content_type: str) -> dict[str, Any]:
    """Return the object with the patch applied. Raises KubernetesError."""
    kind = content_type.partition(";")[0].strip()
    if kind == JSON:
        return _json(current, patch)
    if not isinstance(patch, dict):
        raise bad_request("the patch must be an object")
    if kind == MERGE:
        return merge(current, patch)
    if kind == STRATEGIC:
        try:
            return strategic(current, patch)
        except (AttributeError, TypeError):
            raise bad_request("the patch does not fit the object") from None
    message = (
        f"the body of the request was in an unknown format - accepted: {JSON}, {MERGE}, {STRATEGIC}"
    )
    raise KubernetesError(415, "UnsupportedMediaType", message)


def _json(current: dict[str, Any], patch: Any) -> dict[str, Any]:
    if not isinstance(patch, list):
        raise bad_request("the patch must be a list")
    try:
        result: Any = json_patch.apply(patch, copy.deepcopy(current))
    except (JSONPatchError, JSONPointerError, TypeError, KeyError, AttributeError):
        # Neither a failed `test` nor a path that is not there is named.
        raise KubernetesError(422, "Invalid", REJECTED) from None
    if not isinstance(result, dict):
        raise bad_request("the patch leaves no object")
    return result


def merge(current: Any, patch: dict[str, Any]) -> dict[str, Any]:
    """Return a merge patch applied: null deletes, objects merge, all else replaces."""
    result = dict(current) if isinstance(current, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value) if isinstance(value, dict) else value
    return result


def strategic(current: Any, patch: dict[str, Any]) -> dict[str, Any]:
    """Return a strategic merge patch applied: lists with a merge key merge by it."""
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    result = dict(current) if isinstance(current, dict) else {}
    for name, value in patch.items():
        if not name.startswith("$"):
            _merge_field(result, name, value)
    _apply_directives(result, patch)
    return result


def _merge_field(result: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        result.pop(name, None)
    elif isinstance(value, dict):
        result[name] = strategic(result.get(name), value)
    elif isinstance(value, list) and name in MERGE_KEYS:
        result[name] = _merged_list(result.get(name) or [], value, key=MERGE_KEYS[name])
    else:
        result[name] = value


def _apply_directives(result: dict[str, Any], patch: dict[str, Any]) -> None:
    for name, value in patch.items():
        field = name.partition("/")[2]
        if name.startswith(_DELETE):
            result[field] = [each for each in result.get(field, []) if each not in value]
        elif name.startswith(_ORDER) and field in MERGE_KEYS:
            result[field] = _ordered(result.get(field, []), value, key=MERGE_KEYS[field])
    retained = patch.get("$retainKeys")
    if retained is not None:
        for name in set(result) - set(retained):
            del result[name]


def _merged_list(current: list[Any], changes: list[Any], *, key: str) -> list[Any]:
    if any(each.get("$patch") == "replace" for each in changes):
        return [each for each in changes if "$patch" not in each]
    result = list(current)
    for change in changes:
        place = next((i for i, each in enumerate(result) if each.get(key) == change.get(key)), None)
        if change.get("$patch") == "delete":
            result = [each for each in result if each.get(key) != change.get(key)]
        elif place is None:
            result.append(strategic({}, change))
        else:
            result[place] = strategic(result[place], change)
    return result


def _ordered(items: list[Any], order: list[Any], *, key: str) -> list[Any]:
    places = {each.get(key): place for place, each in enumerate(order)}
    return sorted(items, key=lambda each: places.get(each.get(key), len(places)))
