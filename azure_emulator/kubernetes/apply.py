"""Server-side apply: what a manager wants is merged in, what it no longer wants is taken out.

Source: kubernetes.io/docs/reference/using-api/server-side-apply, 1.32. Who owns a field is not kept
field by field: one that differs from what this manager applied last is taken for another's.
"""

from collections.abc import Iterator
from typing import Any

from azure_emulator.kubernetes.errors import KubernetesError, bad_request
from azure_emulator.kubernetes.patches import MERGE_KEYS, strategic
from azure_emulator.kubernetes.store import Object

APPLY = "application/apply-patch+yaml"
# Who owns what was there before anybody applied or changed anything.
_FIRST = "before-first-apply"
# What names an object is nobody's.
_NAMES = frozenset({"apiVersion", "kind", "metadata.name", "metadata.namespace", "metadata.uid"})


def is_apply(content_type: str) -> bool:
    return content_type.partition(";")[0].strip() == APPLY


def require_configuration(wanted: Any, manager: str) -> Object:
    """Return what is to be applied. Raises KubernetesError 400."""
    if not manager:
        problem = "fieldManager: Required value: is required for apply patch"
        raise bad_request(f'PatchOptions.meta.k8s.io "" is invalid: {problem}')
    if not isinstance(wanted, dict) or not isinstance(wanted.get("metadata", {}), dict):
        raise bad_request("the patch must be an object")
    if wanted.get("metadata", {}).get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    return wanted


def applied(current: Object, wanted: Object, *, last: Object, manager: str, force: bool) -> Object:
    """Return the object with the configuration in it. Raises KubernetesError 409."""
    found = [] if force else list(_conflicts(current, wanted, last, path=""))
    if found:
        raise _refusal(found, _other(current, manager))
    return strategic(_without(current, last, wanted), wanted)


def _conflicts(current: Any, wanted: Any, last: Any, *, path: str) -> Iterator[str]:
    """The fields that are wanted otherwise than somebody else left them."""
    if isinstance(wanted, dict) and isinstance(current, dict):
        before = last if isinstance(last, dict) else {}
        for name in wanted.keys() & current.keys():
            inner = f"{path}.{name}"
            if inner[1:] not in _NAMES:
                yield from _conflicts(current[name], wanted[name], before.get(name), path=inner)
    elif isinstance(wanted, list) and isinstance(current, list) and _key_of(path):
        yield from _conflicts(
            _by_key(current, path), _by_key(wanted, path), _by_key(last, path), path=path
        )
    elif wanted not in (current, None) and current not in (last, None):
        yield path


def _without(current: Any, last: Any, wanted: Any, *, path: str = "") -> Any:
    """Take out what was applied last and is wanted no more."""
    if isinstance(current, dict) and isinstance(last, dict) and isinstance(wanted, dict):
        return {
            name: _without(value, last.get(name), wanted.get(name), path=f"{path}.{name}")
            for name, value in current.items()
            if name in wanted or name not in last
        }
    if isinstance(current, list) and isinstance(wanted, list) and _key_of(path):
        kept = _without(_by_key(current, path), _by_key(last, path), _by_key(wanted, path))
        return list(kept.values())
    return current


def _key_of(path: str) -> str:
    return MERGE_KEYS.get(path.rpartition(".")[2], "")


def _by_key(items: Any, path: str) -> dict[str, Any]:
    """A list as an object, each item under what names it in messages."""
    key = _key_of(path)
    return {f'[{key}="{each.get(key)}"]': each for each in items or []}


def _other(current: Object, manager: str) -> str:
    known = [each["manager"] for each in current["metadata"].get("managedFields", [])]
    return next((each for each in reversed(known) if each != manager), _FIRST)


def _refusal(fields: list[str], other: str) -> KubernetesError:
    # An item of a list stands right behind it.
    named = sorted(field.replace(".[", "[") for field in fields)
    if len(named) == 1:
        message = f'1 conflict: conflict with "{other}" using apps/v1: {named[0]}'
    else:
        listed = "\n- ".join(["", *named])
        message = f'{len(named)} conflicts: conflicts with "{other}" using apps/v1:{listed}'
    return KubernetesError(409, "Conflict", f"Apply failed with {message}")
