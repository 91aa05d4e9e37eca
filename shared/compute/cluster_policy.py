"""Decide about one AmlCompute: no idle node outside its window, its minimum back inside. Pure.

Every branch has a reason from a closed set and a sentence, also "leave it". Whoever changes the
minimum meanwhile wins until the window opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.compute.clusters import ClusterMinimum
from shared.compute.instance import Compute
from shared.compute.native_settings import Cluster
from shared.compute.rulebook import Rule, Rulebook


class ClusterDecision(StrEnum):
    """What to do with a cluster as it was seen."""

    SCALE_DOWN = "scale_down"
    RESTORE = "restore"
    FORGET = "forget"
    LEAVE = "leave"


class ClusterReason(StrEnum):
    """Why."""

    IDLE_OUTSIDE_WINDOW = "idle_outside_window"
    NODES_BUSY = "nodes_busy"
    IN_TRANSITION = "in_transition"
    NO_MINIMUM = "no_minimum"
    SCALED_DOWN = "scaled_down"
    MAY_BE_UP = "may_be_up"
    MAY_BE_UP_AGAIN = "may_be_up_again"
    MINIMUM_IS_BACK = "minimum_is_back"
    CHANGED_BY_USER = "changed_by_user"
    SWITCHED_OFF = "switched_off"
    SETTINGS_UNKNOWN = "settings_unknown"


@dataclass(frozen=True, kw_only=True)
class ClusterVerdict:
    """A decision, its reason, and the reason as a sentence. `minimum`: what it is to become."""

    decision: ClusterDecision
    reason: ClusterReason
    text: str
    minimum: int = 0


def decide_cluster(
    compute: Compute,
    *,
    remembered: ClusterMinimum | None,
    book: Rulebook,
    at: datetime,
    off_hours: bool = True,
) -> ClusterVerdict:
    """Decide about a cluster by what was seen and what is remembered of it.

    `off_hours` False: clusters are not scaled down (any more); what is remembered is given back.
    """
    cluster = compute.cluster
    if cluster is None:
        text = "Azure shows no scale settings, or no nodes, that can be read."
        return _leave(ClusterReason.SETTINGS_UNKNOWN, text)
    if not off_hours and remembered is None:
        return _leave(ClusterReason.SWITCHED_OFF, "CLUSTER_OFF_HOURS is off.")
    rule = book.rule(compute, at=at)
    up = rule.keeps_up(at) or not off_hours
    if remembered is None:
        return _decide_fresh(cluster, rule, up=up)
    if up:
        return _give_back(cluster, remembered, rule, off_hours=off_hours)
    return _keep_down(cluster, remembered, rule)


def _decide_fresh(cluster: Cluster, rule: Rule, *, up: bool) -> ClusterVerdict:
    if not cluster.scale.minimum:
        return _leave(ClusterReason.NO_MINIMUM, "Its minimum is 0: it gives up idle nodes itself.")
    if up:
        return _leave(ClusterReason.MAY_BE_UP, f"It may keep its nodes ({_said(rule)}).")
    return _scale_down(cluster, rule)


def _scale_down(cluster: Cluster, rule: Rule) -> ClusterVerdict:
    if cluster.busy_nodes:
        text = f"{cluster.busy_nodes} of its nodes are busy: looked at again by the next tick."
        return _leave(ClusterReason.NODES_BUSY, text)
    if cluster.updating or not cluster.steady:
        text = "It is resizing, or being changed: looked at again by the next tick."
        return _leave(ClusterReason.IN_TRANSITION, text)
    return ClusterVerdict(
        decision=ClusterDecision.SCALE_DOWN,
        reason=ClusterReason.IDLE_OUTSIDE_WINDOW,
        text=f"It keeps {cluster.scale.minimum} nodes although none may be up ({_said(rule)}).",
    )


def _keep_down(cluster: Cluster, remembered: ClusterMinimum, rule: Rule) -> ClusterVerdict:
    minimum = cluster.scale.minimum
    if not minimum:
        text = f"It was scaled to 0 and gets its {remembered.minimum} back when its window opens."
        return _leave(ClusterReason.SCALED_DOWN, text)
    if minimum == remembered.minimum and remembered.lowered_at is None:
        # It was recorded, and then the worker was lost, or Azure's answer.
        return _scale_down(cluster, rule)
    text = f"Somebody set its minimum to {minimum} meanwhile: left so until its window opens."
    return _leave(ClusterReason.CHANGED_BY_USER, text)


def _give_back(
    cluster: Cluster, remembered: ClusterMinimum, rule: Rule, *, off_hours: bool
) -> ClusterVerdict:
    minimum = cluster.scale.minimum
    if minimum:
        same = minimum == remembered.minimum
        reason = ClusterReason.MINIMUM_IS_BACK if same else ClusterReason.CHANGED_BY_USER
        text = "It has its minimum back." if same else f"Somebody set its minimum to {minimum}."
        return ClusterVerdict(
            decision=ClusterDecision.FORGET, reason=reason, text=text, minimum=minimum
        )
    if cluster.updating:
        text = "It is being changed: it gets its minimum back by the next tick."
        return _leave(ClusterReason.IN_TRANSITION, text)
    # Its maximum may have been lowered meanwhile, and bounds the minimum.
    return _restore(min(remembered.minimum, cluster.scale.maximum), rule, off_hours=off_hours)


def _restore(minimum: int, rule: Rule, *, off_hours: bool) -> ClusterVerdict:
    if not minimum:
        text = "Its maximum is 0: there is no minimum to give back."
        return ClusterVerdict(
            decision=ClusterDecision.FORGET, reason=ClusterReason.CHANGED_BY_USER, text=text
        )
    why = f"it may keep nodes again ({_said(rule)})" if off_hours else "CLUSTER_OFF_HOURS is off"
    return ClusterVerdict(
        decision=ClusterDecision.RESTORE,
        reason=ClusterReason.MAY_BE_UP_AGAIN if off_hours else ClusterReason.SWITCHED_OFF,
        text=f"It gets its minimum of {minimum} back: {why}.",
        minimum=minimum,
    )


def _leave(reason: ClusterReason, text: str) -> ClusterVerdict:
    return ClusterVerdict(decision=ClusterDecision.LEAVE, reason=reason, text=text)


def _said(rule: Rule) -> str:
    return f"{rule.source.replace('_', ' ')}: {rule.text}"
