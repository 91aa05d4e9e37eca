"""The objects of one cluster with their versions, and every change since its start, for watches."""

import copy
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
KINDS = {
    "namespaces": "Namespace",
    "deployments": "Deployment",
    "replicasets": "ReplicaSet",
    "pods": "Pod",
    "events": "Event",
}
PLURALS = {kind: plural for plural, kind in KINDS.items()}
# Kinds whose `generation` counts changes of their spec.
_COUNTED = frozenset({"deployments", "replicasets"})
# No vowels: no words.
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_LONGEST_NAME = 63


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change; `type` is ADDED, MODIFIED or DELETED."""

    version: int
    type: str
    plural: str
    object: Object


class Store:
    """Objects by kind, namespace and name. What goes in and comes out are copies."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._objects: dict[tuple[str, str, str], Object] = {}
        self._changes: list[Change] = []
        self.version = 1

    def get(self, plural: str, namespace: str, name: str) -> Object | None:
        return copy.deepcopy(self._objects.get((plural, namespace, name)))

    def all_of(self, plural: str, namespace: str = "") -> list[Object]:
        """Return all of a kind, of one namespace or of all, in order of creation."""
        return [
            copy.deepcopy(found)
            for (kind, where, _), found in self._objects.items()
            if kind == plural and namespace in {"", where}
        ]

    def owned(self, plural: str, owner: Mapping[str, Any]) -> list[Object]:
        """Return what an object controls."""
        uid, namespace = owner["metadata"]["uid"], owner["metadata"]["namespace"]
        return [each for each in self.all_of(plural, namespace) if controller_of(each) == uid]

    def create(self, given: Mapping[str, Any]) -> Object:
        """Store a new object, with what the server adds to its metadata."""
        plural = PLURALS[given["kind"]]
        metadata = {
            **given["metadata"],
            "uid": str(uuid.uuid4()),
            "creationTimestamp": seconds_text(self._now()),
        }
        if plural in _COUNTED:
            metadata["generation"] = 1
        return self._keep("ADDED", plural, {**given, "metadata": metadata})

    def replace(self, given: Mapping[str, Any], *, asked: bool = False) -> Object:
        """Store a newer form of an object; nothing happens where nothing is new.

        `asked`: somebody asked for it, whose annotations count as a change of what is to be
        (pkg/registry/apps/deployment/strategy.go); what a controller notes does not.
        """
        plural, metadata = PLURALS[given["kind"]], given["metadata"]
        key = plural, metadata.get("namespace", ""), metadata["name"]
        before = self._objects[key]
        held = {"resourceVersion": before["metadata"]["resourceVersion"]}
        after = {**copy.deepcopy(dict(given)), "metadata": {**metadata, **held}}
        if after == before:
            return copy.deepcopy(before)
        if plural in _COUNTED and (
            after.get("spec") != before.get("spec")
            or (asked and _annotations(after) != _annotations(before))
        ):
            after["metadata"]["generation"] = before["metadata"]["generation"] + 1
        return self._keep("MODIFIED", plural, after)

    def delete(self, given: Mapping[str, Any]) -> None:
        plural, metadata = PLURALS[given["kind"]], given["metadata"]
        gone = self._objects.pop((plural, metadata.get("namespace", ""), metadata["name"]))
        self._note("DELETED", plural, gone)

    def changes(self, plural: str, *, after: int) -> list[Change]:
        """Return the changes of a kind since a version, oldest first."""
        return [each for each in self._changes if each.version > after and each.plural == plural]

    def _keep(self, kind: str, plural: str, given: Object) -> Object:
        kept = copy.deepcopy(given)
        metadata = kept["metadata"]
        self._objects[plural, metadata.get("namespace", ""), metadata["name"]] = kept
        return self._note(kind, plural, kept)

    def _note(self, kind: str, plural: str, kept: Object) -> Object:
        self.version += 1
        kept["metadata"]["resourceVersion"] = str(self.version)
        shown = copy.deepcopy(kept)
        self._changes.append(Change(version=self.version, type=kind, plural=plural, object=shown))
        return copy.deepcopy(kept)


def generated_name(start: str) -> str:
    """Return a name that nobody has, made as Kubernetes makes them from `generateName`.

    Source: k8s.io/apiserver pkg/storage/names (generate.go) of 1.32.
    """
    end = "".join(secrets.choice(_SUFFIX) for _ in range(_SUFFIX_LENGTH))
    return f"{start[: _LONGEST_NAME - _SUFFIX_LENGTH]}{end}"


def _annotations(given: Object) -> Any:
    return given["metadata"].get("annotations") or {}


def controller_of(given: Mapping[str, Any]) -> str:
    """Return the uid of what controls an object, empty without one."""
    owners = given["metadata"].get("ownerReferences", [])
    return next((str(each["uid"]) for each in owners if each.get("controller")), "")


def controlled_by(owner: Mapping[str, Any]) -> Object:
    """Return metadata that says who controls an object."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {"ownerReferences": [reference]}


def seconds_text(at: float) -> str:
    """Return a moment as Kubernetes writes it: whole seconds, `Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
