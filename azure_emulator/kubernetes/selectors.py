"""Label and field selectors of lists and watches.

Source: k8s.io/apimachinery pkg/labels and pkg/fields; the fields of each kind by pkg/apis/*/v1
(conversion.go) of 1.32.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from azure_emulator.kubernetes.errors import bad_request
from azure_emulator.kubernetes.store import Object

Accepts = Callable[[Object], bool]
_PARTS = re.compile(r"(?:[^,(]|\([^)]*\))+")
_SET = re.compile(r"^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*([^!=\s]+)\s*(==|=|!=)\s*(\S*)\s*$")
_ALWAYS = ("metadata.name", "metadata.namespace")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "replicasets": ("status.replicas",),
    "namespaces": ("status.phase",),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
}


def selector(query: Mapping[str, str], plural: str) -> Accepts:
    """Return what tells whether an object is meant. Raises KubernetesError 400."""
    labels = [_label(part) for part in _PARTS.findall(query.get("labelSelector", ""))]
    known = (*_ALWAYS, *_FIELDS.get(plural, ()))
    fields = [_field(part, known) for part in _PARTS.findall(query.get("fieldSelector", ""))]
    return lambda given: all(accepts(given) for accepts in (*labels, *fields))


def _label(text: str) -> Accepts:
    found = _SET.match(text)
    if found:
        name, word, values = found[1], found[2], {each.strip() for each in found[3].split(",")}
        return lambda given: (_labels(given).get(name) in values) == (word == "in")
    found = _EQUAL.match(text)
    if found:
        name, sign, value = found[1], found[2], found[3]
        return lambda given: (_labels(given).get(name) == value) == (sign != "!=")
    name = text.strip()
    if name.startswith("!"):
        return lambda given: name[1:] not in _labels(given)
    return lambda given: name in _labels(given)


def _labels(given: Object) -> Mapping[str, str]:
    labels: Mapping[str, str] = given["metadata"].get("labels", {})
    return labels


def _field(text: str, known: Sequence[str]) -> Accepts:
    found = _EQUAL.match(text)
    if found is None:
        raise bad_request(f"invalid selector: '{text}'; can't understand '{text}'")
    if found[1] not in known:
        raise bad_request(f"field label not supported: {found[1]}")
    name = "source.component" if found[1] == "source" else found[1]
    path, sign, value = name.split("."), found[2], found[3]
    return lambda given: (_at(given, path) == value) == (sign != "!=")


def _at(given: Object, path: Sequence[str]) -> str:
    value: Any = given
    for name in path:
        value = value.get(name, "") if isinstance(value, dict) else ""
    return str(value)
