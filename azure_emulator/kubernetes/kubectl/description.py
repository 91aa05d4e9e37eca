"""What `describe` prints, in short: what an object is, how it is, and its events.

Source: kubectl 1.32, pkg/describe; not all that it prints.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from azure_emulator.kubernetes.kubectl.session import Session, Target
from azure_emulator.kubernetes.replica_sets import of_template
from azure_emulator.kubernetes.store import Object

_NONE = "<none>"
_DETAILS = {
    "reason": "Reason",
    "message": "Message",
    "exitCode": "Exit Code",
    "startedAt": "Started",
    "finishedAt": "Finished",
}
Pairs = Sequence[tuple[str, Any]]


def described(session: Session, given: Object) -> str:
    """All about one object."""
    metadata = given["metadata"]
    head = [
        ("Name", metadata["name"]),
        ("Namespace", metadata.get("namespace", "")),
        ("Labels", _labels(metadata.get("labels"))),
        ("Annotations", _labels(metadata.get("annotations"), sign=": ")),
    ]
    more = _OF_KIND.get(given["kind"], _other)(session, given)
    return _aligned(head) + more + _events(session, given)


def template(given: Object, *, within: str) -> str:
    """A pod template, as rollouts and Deployments show it."""
    labels = _labels(given["metadata"].get("labels"))
    told = f"{within}Pod Template:\n{within}  Labels:\t{labels}\n{within}  Containers:\n"
    return told + "".join(_container(each, within) for each in given["spec"]["containers"])


def _container(given: Object, within: str) -> str:
    ports = ", ".join(
        f"{port['containerPort']}/{port.get('protocol', 'TCP')}" for port in given.get("ports", [])
    )
    variables = ", ".join(each["name"] for each in given.get("env", []))
    pairs = (("Image", given["image"]), ("Port", ports), ("Environment", variables))
    lines = [f"{within}   {given['name']}:"]
    lines += [f"{within}    {name}:\t{value or _NONE}" for name, value in pairs]
    return "\n".join(lines) + "\n"


def _deployment(session: Session, given: Object) -> str:
    spec, status = given["spec"], given["status"]
    counts = (
        ("desired", spec["replicas"]),
        ("updated", status.get("updatedReplicas", 0)),
        ("total", status.get("replicas", 0)),
        ("available", status.get("availableReplicas", 0)),
        ("unavailable", status.get("unavailableReplicas", 0)),
    )
    owned = session.owned("replicasets", given)
    new = of_template(given, owned)
    old = [each for each in owned if each is not new and each["spec"]["replicas"]]
    pairs = [
        ("Selector", _labels(spec["selector"].get("matchLabels"))),
        ("Replicas", " | ".join(f"{count} {word}" for word, count in counts)),
        ("StrategyType", spec["strategy"]["type"]),
    ]
    sets = [("OldReplicaSets", _sets(old)), ("NewReplicaSet", _sets([new] if new else []))]
    return (
        _aligned(pairs)
        + template(spec["template"], within="")
        + _conditions(given)
        + _aligned(sets)
    )


def _sets(replica_sets: Sequence[Object]) -> str:
    return ", ".join(
        f"{each['metadata']['name']} ({each['status'].get('replicas', 0)}/{each['spec']['replicas']}"
        " replicas created)"
        for each in replica_sets
    )


def _replica_set(_session: Session, given: Object) -> str:
    spec, status = given["spec"], given["status"]
    pairs = [
        ("Selector", _labels(spec["selector"].get("matchLabels"))),
        ("Controlled By", _owner(given)),
        ("Replicas", f"{status.get('replicas', 0)} current / {spec['replicas']} desired"),
    ]
    return _aligned(pairs) + template(spec["template"], within="")


def _pod(_session: Session, given: Object) -> str:
    spec, status = given["spec"], given["status"]
    pairs = [
        ("Node", spec["nodeName"]),
        ("Status", status["phase"]),
        ("IP", status.get("podIP", "")),
        ("Controlled By", _owner(given)),
    ]
    known = {each["name"]: each for each in status.get("containerStatuses", [])}
    containers = "".join(
        _container(each, "") + _container_status(known.get(each["name"]))
        for each in spec["containers"]
    )
    return f"{_aligned(pairs)}Containers:\n{containers}{_conditions(given)}"


def _container_status(status: Object | None) -> str:
    if status is None:
        return ""
    pairs: list[tuple[str, Any]] = [("Image ID", status.get("imageID"))]
    for title, states in (("State", status["state"]), ("Last State", status.get("lastState", {}))):
        for state, details in states.items():
            pairs += [(title, state.capitalize()), *_details(details)]
    pairs += [("Ready", status["ready"]), ("Restart Count", status["restartCount"])]
    return "".join(f"    {name}:\t{value}\n" for name, value in pairs)


def _details(state: Object) -> Pairs:
    known = {name: state.get(name) for name in _DETAILS}
    return [
        (f"  {_DETAILS[name]}", value) for name, value in known.items() if value not in {None, ""}
    ]


def _other(_session: Session, _given: Object) -> str:
    return ""


def _owner(given: Object) -> str:
    owners = given["metadata"].get("ownerReferences", [])
    return f"{owners[0]['kind']}/{owners[0]['name']}" if owners else ""


def _conditions(given: Object) -> str:
    found = given["status"].get("conditions", [])
    lines = [f"  {each['type']}\t{each['status']}\t{each.get('reason', '')}" for each in found]
    return "\n".join(["Conditions:", "  Type\tStatus\tReason", *lines, ""])


def _events(session: Session, given: Object) -> str:
    metadata = given["metadata"]
    query = urlencode({"fieldSelector": f"involvedObject.uid={metadata['uid']}"})
    target = Target(plural="events", namespace=metadata.get("namespace", ""))
    found = session.items(target, f"?{query}")
    if not found:
        return f"Events:\t{_NONE}\n"
    lines = [
        f"  {each['type']}\t{each['reason']}\t{_times(each)}\t{each['source']['component']}"
        f"\t{each['message']}"
        for each in found
    ]
    return "\n".join(["Events:", "  Type\tReason\tAge\tFrom\tMessage", *lines, ""])


def _times(event: Object) -> str:
    last = datetime.strptime(event["lastTimestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    seconds = max(int((datetime.now(UTC) - last).total_seconds()), 0)
    return f"{seconds}s (x{event['count']})" if event["count"] > 1 else f"{seconds}s"


def _labels(labels: Mapping[str, str] | None, *, sign: str = "=") -> str:
    return ",".join(f"{name}{sign}{value}" for name, value in sorted((labels or {}).items()))


def _aligned(pairs: Pairs) -> str:
    return "".join(f"{name + ':':<23}{value or _NONE}\n" for name, value in pairs)


_OF_KIND = {"Deployment": _deployment, "ReplicaSet": _replica_set, "Pod": _pod}
