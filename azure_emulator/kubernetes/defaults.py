"""What an API server adds to a Deployment, and what it refuses.

Source: k8s.io/api apps/v1 and core/v1 of Kubernetes 1.32, defaults of pkg/apis/apps/v1 and core/v1;
names by k8s.io/apimachinery pkg/util/validation.
"""

import copy
import re
from typing import Any

Object = dict[str, Any]
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_NAME = 253
_SPEC = {
    "replicas": 1,
    "revisionHistoryLimit": 10,
    "progressDeadlineSeconds": 600,
}
_ROLLING = {"maxUnavailable": "25%", "maxSurge": "25%"}
_POD = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
_CONTAINER = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}


def problems_of(deployment: Object) -> list[str]:
    """Return what an API server would refuse, one sentence each."""
    try:
        spec, metadata = deployment["spec"], deployment["metadata"]
        wanted = spec["selector"]["matchLabels"]
        template = spec["template"]
        labels = template["metadata"]["labels"]
        containers = template["spec"]["containers"]
        named = [(each["name"], each["image"]) for each in containers]
    except (KeyError, TypeError) as error:
        return [f"no Deployment of apps/v1: {error} is missing"]
    problems = _name_problems(metadata.get("name"))
    problems += _strategy_problems(spec.get("strategy", {}))
    replicas = spec.get("replicas", 1)
    if replicas < 0:
        problems.append(
            f"spec.replicas: Invalid value: {replicas}: must be greater than or equal to 0"
        )
    if not wanted or not wanted.items() <= labels.items():
        problems.append(
            "spec.template.metadata.labels: Invalid value: `selector` does not match template "
            "`labels`"
        )
    if not named or not all(name and image for name, image in named):
        problems.append("spec.template.spec.containers: Required value: name and image")
    return problems


def _name_problems(name: object) -> list[str]:
    if not name:
        return ["metadata.name: Required value: name or generateName is required"]
    if isinstance(name, str) and len(name) <= _LONGEST_NAME and _NAME.fullmatch(name):
        return []
    problem = (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
        "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
        f"used for validation is '{_NAME.pattern}')"
    )
    return [f'metadata.name: Invalid value: "{name}": {problem}']


def _strategy_problems(strategy: Object) -> list[str]:
    kind = strategy.get("type", "RollingUpdate")
    if kind not in {"RollingUpdate", "Recreate"}:
        known = 'supported values: "Recreate", "RollingUpdate"'
        return [f'spec.strategy.type: Unsupported value: "{kind}": {known}']
    bounds = {**_ROLLING, **strategy.get("rollingUpdate", {})}
    if {str(bounds[name]).rstrip("%").lstrip("0") for name in _ROLLING} == {""}:
        problem = "Invalid value: 0: may not be 0 when `maxSurge` is 0"
        return [f"spec.strategy.rollingUpdate.maxUnavailable: {problem}"]
    return []


def with_defaults(deployment: Object) -> Object:
    """Return a copy as an API server would store it."""
    whole = copy.deepcopy(deployment)
    whole |= {"apiVersion": "apps/v1", "kind": "Deployment"}
    whole["metadata"].setdefault("namespace", "default")
    spec = whole["spec"]
    _fill(spec, _SPEC)
    strategy = spec.setdefault("strategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(strategy.setdefault("rollingUpdate", {}), _ROLLING)
    _fill_template(spec["template"])
    return whole


def _fill_template(template: Object) -> None:
    template["metadata"].setdefault("creationTimestamp", None)
    _fill(template["spec"], _POD)
    for container in template["spec"]["containers"]:
        _fill(container, _CONTAINER)
        container.setdefault("imagePullPolicy", _pull_policy(container["image"]))
        for port in container.get("ports", []):
            port.setdefault("protocol", "TCP")


def _pull_policy(image: str) -> str:
    tagged = ":" in image.rpartition("/")[2]
    return "Always" if image.endswith(":latest") or not tagged else "IfNotPresent"


def _fill(target: Object, defaults: Object) -> None:
    for name, value in defaults.items():
        target.setdefault(name, copy.deepcopy(value))
