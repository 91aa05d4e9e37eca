"""The documents about clusters and guard rails say what the code does."""

import re
from pathlib import Path

from shared.compute.cluster_policy import ClusterDecision, ClusterReason
from shared.compute.cluster_report import ClusterOutcome, ClusterReport
from shared.compute.guardrails import Finding, GuardRail
from shared.compute.idle_shutdown_order import IdleShutdownOrder
from shared.compute.idle_shutdown_report import (
    IdleShutdownEntry,
    IdleShutdownOutcome,
    IdleShutdownReport,
)
from shared.telemetry import Event

DOCS = Path(__file__).resolve().parents[2] / "docs"
CLUSTERS = (DOCS / "clusters.md").read_text("utf-8")
GUARDRAILS = (DOCS / "guardrails.md").read_text("utf-8")


def column(document: str, head: str, number: int) -> list[str]:
    """The cells of one column of the table whose head begins so."""
    table = document.split(f"| {head} |", 1)[1].split("\n\n", 1)[0]
    return [row.strip("|").split("|")[number].strip(" `") for row in table.splitlines()[2:]]


def test_every_reason_about_clusters_has_one_row() -> None:
    assert sorted(column(CLUSTERS, "seen", 2)) == sorted(ClusterReason)


def test_every_decision_and_outcome_of_clusters_is_explained() -> None:
    words = set(re.findall(r"\w+", CLUSTERS))

    assert {*ClusterDecision, *ClusterOutcome} <= words
    assert Event.COMPUTE_CLUSTER_OUTCOME in CLUSTERS


def test_every_guard_rail_has_one_row() -> None:
    assert sorted(column(GUARDRAILS, "guardrail", 0)) == sorted(GuardRail)


def test_every_outcome_of_setting_an_idle_time_has_one_row() -> None:
    assert sorted(column(GUARDRAILS, "outcome", 0)) == sorted(IdleShutdownOutcome)


def test_the_shapes_are_those_of_the_models() -> None:
    words = set(re.findall(r"\w+", GUARDRAILS))

    models = (Finding, IdleShutdownOrder, IdleShutdownReport, IdleShutdownEntry)
    assert {name for model in models for name in model.model_fields} <= words
    assert "minimum_after" in ClusterReport.model_fields
