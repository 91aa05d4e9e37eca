"""How far a container group is with a change, from three states, its events and its digests. Pure.

Azure: "users should not create dependencies on non-terminal provisioning states"; so only Succeeded
and Failed count here (learn.microsoft.com/azure/container-instances/container-state).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from shared.clients.container_group import Container, Group
from shared.clients.container_group_before import Before
from shared.scoring.redeploy.mover import ChangeKind, Phase, PlatformState

# So often Azure tries by itself before it is taken for a failure.
TRIES: Final = 3
_ENDED: Final = frozenset({"Stopped", "Succeeded", "Failed"})

Problem = tuple[Phase, str, str]


def judge(group: Group, before: Before, *, undone: bool, marked: bool) -> PlatformState:
    """Say how far a group is. `marked`: it carries the redeploy's tag.

    With `undone` what failed in its containers is what the change did: it is past.
    """
    phase, reason, text = (
        _ended(group)
        or (None if undone else _failure(group, before))
        or _unprovisioned(group, before)
        or _not_there(group, before, undone=undone, marked=marked)
        or _not_ready(group)
        or (Phase.READY, "", "every container runs")
    )
    own = group.container(before.container)
    return PlatformState(
        phase=phase,
        reason=reason,
        text=text,
        digest=own.digest if own and own.state == "Running" else None,
        evidence=group.describe(since=before.seen_at),
    )


def refused_by_group(group: Group, *, url: str) -> dict[ChangeKind, str]:
    """Say what cannot be changed of a group that is stopped, has ended, or is asked by a loose address.

    "If your container group is configured with an IP address, that IP address can change when the
    container group is restarted" (learn.microsoft.com/azure/container-instances/container-instances-stop-start).
    """
    reasons = {
        "Stopped": "the group is stopped, and whoever stopped it may have had a reason: start it",
        "Succeeded": "the group has ended: Azure neither restarts nor updates it, deploy it anew",
        "Failed": "the group has ended: Azure neither restarts nor updates it, deploy it anew",
    }
    reason = reasons.get(group.state)
    if reason is None and group.public_address and urlsplit(url).hostname == group.public_address:
        reason = (
            f"url: {group.public_address} is the group's only as long as it is not started anew, and "
            "then maybe somebody else's: give the group a dnsNameLabel, and name that in url"
        )
    return {ChangeKind.RESTART: reason, ChangeKind.IMAGE: reason} if reason else {}


def _ended(group: Group) -> Problem | None:
    if group.state not in _ENDED:
        return None
    return Phase.FAILED, group.state, f"the group is {group.state}: nothing runs any more"


def _failure(group: Group, before: Before) -> Problem | None:
    found = (_container_failure(each, before) for each in group.containers)
    return next((each for each in found if each), None)


def _unprovisioned(group: Group, before: Before) -> Problem | None:
    # A group that had failed before says so until it runs.
    if group.provisioning_state != "Failed" or before.provisioning_state == "Failed":
        return None
    return Phase.FAILED, "ProvisioningFailed", "Azure could not provision the group"


def _container_failure(container: Container, before: Before) -> Problem | None:
    then = before.containers.get(container.name)
    known = then.restarts if then else 0
    # A restart may set the count back.
    crashes = container.restarts - (known if container.restarts >= known else 0)
    if crashes >= TRIES:
        text = f"{container.name} crashed {crashes} times, last exit code {container.exit_code}"
        return Phase.FAILED, "CrashLoopBackOff", text
    if container.state != "Running" and _failed_pulls(container, before) >= TRIES:
        return Phase.FAILED, "ImagePullBackOff", f"the image of {container.name} cannot be pulled"
    return None


def _failed_pulls(container: Container, before: Before) -> int:
    failed: Sequence[int] = [
        each.count
        for each in container.events
        if each.name == "Failed" and "pull" in each.message.lower() and each.at > before.seen_at
    ]
    return max(failed, default=0)


def _not_there(group: Group, before: Before, *, undone: bool, marked: bool) -> Problem | None:
    if undone:
        if before.runs_in(group):
            return None
        return Phase.WAITING, "NotPulled", "what ran before is not pulled yet"
    if before.restarted(group):
        return None
    what = "the new image" if marked else "the restart"
    return Phase.WAITING, "NotStarted", f"{what} shows no effect yet"


def _not_ready(group: Group) -> Problem | None:
    for each in group.containers:
        if each.state != "Running":
            return Phase.WAITING, each.state or "Unknown", each.describe()
        if each.probe_fails(group.seen_at):
            return Phase.WAITING, "ReadinessProbeFailed", f"{each.name} is not ready"
    if group.provisioning_state not in {"Succeeded", "Failed"}:
        return Phase.WAITING, group.provisioning_state, "Azure is still provisioning the group"
    return None
