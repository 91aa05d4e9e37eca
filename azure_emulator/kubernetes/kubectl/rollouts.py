"""`kubectl rollout`: status, restart, undo, history, pause, resume, with kubectl's own semantics.

Source: kubectl 1.32, pkg/polymorphichelpers (rollout_status, rollback, history, objectrestarter).
"""

import re
from argparse import Namespace
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from azure_emulator.kubernetes.deployment_status import DEADLINE
from azure_emulator.kubernetes.kubectl.command_line import KNOWN, UnknownCommandError
from azure_emulator.kubernetes.kubectl.description import template
from azure_emulator.kubernetes.kubectl.session import (
    JSON_PATCH,
    CommandFailedError,
    Outcome,
    Session,
    Target,
)
from azure_emulator.kubernetes.replica_sets import OWN_ANNOTATIONS, revision_of, without_hash
from azure_emulator.kubernetes.store import Object

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
_DURATION = re.compile(r"0?|(?:[0-9.]+[smh])+")
_PART = re.compile(r"([0-9.]+)([smh])")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_CAUSE = "kubernetes.io/change-cause"
Command = Callable[[Session, Target, Namespace], Outcome]


def _status(session: Session, target: Target, options: Namespace) -> Outcome:
    deployment = session.get(target)
    waiting = _waits_for(deployment)
    if not waiting:
        return Outcome(text=f'deployment "{target.name}" successfully rolled out\n')
    limit = _seconds(options.timeout)
    if limit and session.waited() > limit:
        raise CommandFailedError("error: timed out waiting for the condition")
    goes_on = options.watch not in {"false", "0"}
    return Outcome(
        text=f'Waiting for deployment "{target.name}" rollout to finish: {waiting}...\n',
        exit_code=None if goes_on else 0,
    )


def _seconds(duration: str) -> float:
    """Read `1m30s`; 0, as without one, waits for ever. Raises UnknownCommandError."""
    if not _DURATION.fullmatch(duration):
        raise UnknownCommandError(KNOWN)
    return sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(duration))


def _waits_for(deployment: Object) -> str:
    """What is missing. Raises CommandFailedError where no more is to be expected."""
    status, name = deployment["status"], deployment["metadata"]["name"]
    conditions = status.get("conditions", [])
    if any(each.get("reason") == DEADLINE for each in conditions):
        raise CommandFailedError(f'error: deployment "{name}" exceeded its progress deadline')
    wanted = deployment["spec"]["replicas"]
    total, updated, available = (
        status.get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas")
    )
    if updated < wanted:
        return f"{updated} out of {wanted} new replicas have been updated"
    if total > updated:
        return f"{total - updated} old replicas are pending termination"
    if available < updated:
        return f"{available} of {updated} updated replicas are available"
    return ""


def _restart(session: Session, target: Target, _options: Namespace) -> Outcome:
    if session.get(target)["spec"].get("paused"):
        problem = f'deployments.apps "{target.name}" can\'t restart paused deployment'
        raise CommandFailedError(f"error: {problem} (run rollout resume first)")
    annotations = {RESTARTED_AT: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    session.patch(target, {"spec": {"template": {"metadata": {"annotations": annotations}}}})
    return Outcome(text=f"{target.called()} restarted\n")


def _undo(session: Session, target: Target, options: Namespace) -> Outcome:
    deployment = session.get(target)
    if deployment["spec"].get("paused"):
        raise CommandFailedError(
            "error: you cannot rollback a paused deployment; resume it first with "
            "'kubectl rollout resume' and try again"
        )
    chosen = _revision_wanted(session, deployment, options.to_revision)
    to = without_hash(chosen)
    if to == deployment["spec"]["template"]:
        already = f"current template already matches revision {revision_of(chosen)}"
        return Outcome(text=f"{target.called()} skipped rollback ({already})\n")
    patch = [
        {"op": "replace", "path": "/spec/template", "value": to},
        {
            "op": "replace",
            "path": "/metadata/annotations",
            "value": _annotations(deployment, chosen),
        },
    ]
    session.patch(target, patch, kind=JSON_PATCH)
    return Outcome(text=f"{target.called()} rolled back\n")


def _revision_wanted(session: Session, deployment: Object, wanted: str) -> Object:
    """The ReplicaSet of a revision, of the one before without any. Raises CommandFailedError."""
    owned = _by_revision(session, deployment)
    if wanted in {"", "0"}:
        if len(owned) < 2:  # noqa: PLR2004  # what is now, and what was before
            name = deployment["metadata"]["name"]
            raise CommandFailedError(f'error: no rollout history found for deployment "{name}"')
        return owned[-2]
    found = [each for each in owned if str(revision_of(each)) == wanted]
    if not found:
        raise CommandFailedError(f"error: unable to find specified revision {wanted} in history")
    return found[0]


def _annotations(deployment: Object, replica_set: Object) -> dict[str, str]:
    present = deployment["metadata"].get("annotations", {})
    past = replica_set["metadata"].get("annotations", {})
    own = {name: value for name, value in present.items() if name in OWN_ANNOTATIONS}
    return own | {name: value for name, value in past.items() if name not in OWN_ANNOTATIONS}


def _history(session: Session, target: Target, options: Namespace) -> Outcome:
    owned = _by_revision(session, session.get(target))
    if options.revision not in {"", "0"}:
        found = [each for each in owned if str(revision_of(each)) == options.revision]
        if not found:
            raise CommandFailedError("error: unable to find the specified revision")
        head = f"{target.called()} with revision #{options.revision}\n"
        return Outcome(text=head + template(found[0]["spec"]["template"], within=""))
    causes = [each["metadata"]["annotations"].get(_CAUSE, "<none>") for each in owned]
    numbers = [str(revision_of(each)) for each in owned]
    # Columns are two spaces apart.
    lines = ["REVISION  CHANGE-CAUSE"]
    lines += [f"{number:<8}  {cause}" for number, cause in zip(numbers, causes, strict=True)]
    return Outcome(text="\n".join([f"{target.called()} ", *lines, "", ""]))


def _by_revision(session: Session, deployment: Object) -> list[Object]:
    return sorted(session.owned("replicasets", deployment), key=revision_of)


def _paused(session: Session, target: Target, *, paused: bool) -> Outcome:
    word = "paused" if paused else "resumed"
    if bool(session.get(target)["spec"].get("paused")) == paused:
        already = "already paused" if paused else "not paused"
        raise CommandFailedError(f'error: deployments.apps "{target.name}" is {already}')
    session.patch(target, {"spec": {"paused": True if paused else None}})
    return Outcome(text=f"{target.called()} {word}\n")


COMMANDS: Mapping[str, Command] = {
    "status": _status,
    "restart": _restart,
    "undo": _undo,
    "history": _history,
    "pause": lambda session, target, _options: _paused(session, target, paused=True),
    "resume": lambda session, target, _options: _paused(session, target, paused=False),
}
