"""Label and field selectors of lists and watches.

Source: k8s.io/apimachinery pkg/labels and pkg/fields of 1.32. Of fields, metadata.name and
metadata.namespace are known.
"""

import re
from collections.abc import Callable, Mapping

from azure_emulator.kubernetes.errors import bad_request
from azure_emulator.kubernetes.store import Object

Accepts = Callable[[Object], bool]
_PARTS = re.compile(r"(?:[^,(]|\([^)]*\))+")
_SET = re.compile(r"^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*([^!=\s]+)\s*(==|=|!=)\s*(\S*)\s*$")
_FIELDS = ("metadata.name", "metadata.namespace")


def selector(query: Mapping[str, str]) -> Accepts:
    """Return what tells whether an object is meant. Raises KubernetesError 400."""
    labels = [_label(part) for part in _PARTS.findall(query.get("labelSelector", ""))]
    fields = [_field(part) for part in _PARTS.findall(query.get("fieldSelector", ""))]
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


def _field(text: str) -> Accepts:
    found = _EQUAL.match(text)
    if found is None or found[1] not in _FIELDS:
        raise bad_request(f"field label not supported: {text}")
    name, sign, value = found[1].partition(".")[2], found[2], found[3]
    return lambda given: (given["metadata"].get(name, "") == value) == (sign != "!=")
