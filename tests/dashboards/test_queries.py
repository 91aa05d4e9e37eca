"""Queries and alert rules ask for what the app really says."""

import re
from pathlib import Path

import pytest

from shared.metrics import INSTRUMENTS, Metric
from shared.telemetry import AVAILABILITY_PROPERTIES, PROPERTIES, Event, Span

REPOSITORY = Path(__file__).resolve().parents[2]
DASHBOARDS = REPOSITORY / "dashboards"
QUERIES = sorted(DASHBOARDS.glob("**/*.kql"))
BICEP = (DASHBOARDS / "alerts" / "alerts.bicep").read_text(encoding="utf-8")
BOUND = {"run_id", "share_id", "attempt"}
TABLES = {"customEvents": Event, "customMetrics": Metric, "dependencies": Span}


def code_of(query: Path) -> str:
    lines = query.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("//"))


def names_in(code: str) -> set[str]:
    """Find the dotted names in quotes: events, metrics and spans."""
    return set(re.findall(r'"([a-z]+(?:\.[a-z_]+)+)"', code))


def properties_in(code: str) -> set[str]:
    return set(re.findall(r"customDimensions\.(\w+)", code))


def asks_for_availability(code: str) -> bool:
    return "availabilityResults" in code


def ids(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("query", QUERIES, ids=ids)
def test_a_query_opens_with_the_question_it_answers(query: Path) -> None:
    assert re.match(r"// .{20,}", query.read_text(encoding="utf-8"))


@pytest.mark.parametrize("query", QUERIES, ids=ids)
def test_a_query_knows_only_names_that_its_tables_hold(query: Path) -> None:
    code = code_of(query)
    tables = [table for table in TABLES if re.search(rf"\b{table}\b", code)]

    held = {str(name) for table in tables for name in TABLES[table]}

    assert tables or asks_for_availability(code)
    assert names_in(code) or asks_for_availability(code)
    assert names_in(code) <= held


@pytest.mark.parametrize("query", QUERIES, ids=ids)
def test_a_query_asks_for_properties_that_its_events_have(query: Path) -> None:
    code = code_of(query)
    events = [Event(name) for name in names_in(code) if name in set(Event)]

    metrics = [Metric(name) for name in names_in(code) if name in set(Metric)]
    said = BOUND.union(
        *(PROPERTIES[event] for event in events),
        *(INSTRUMENTS[metric].attributes for metric in metrics),
        AVAILABILITY_PROPERTIES if asks_for_availability(code) else (),
    )

    assert properties_in(code) <= said
    assert "customDimensions[" not in code


@pytest.mark.parametrize("event", Event)
def test_every_event_but_a_runs_start_is_asked_for_somewhere(event: Event) -> None:
    asked = set().union(*(names_in(code_of(query)) for query in QUERIES))

    assert event in asked | {Event.COMPUTE_RUN_STARTED}


def test_each_alert_rule_has_its_query_and_each_query_its_rule() -> None:
    loaded = re.findall(r"loadTextContent\('([\w.]+)'\)", BICEP)

    assert sorted(loaded) == [
        "checks_incomplete.kql",
        "checks_missing.kql",
        "credential_expiring.kql",
        "healing_gave_up.kql",
        "redeploy_failed.kql",
        "run_failed.kql",
        "run_missing.kql",
        "service_unhealthy.kql",
    ]
    assert {path.name for path in (DASHBOARDS / "alerts").glob("*.kql")} == set(loaded)


def test_a_missing_run_yields_a_row_although_there_is_no_record() -> None:
    code = code_of(DASHBOARDS / "alerts" / "run_missing.kql")

    assert code.splitlines()[-2:] == ["| summarize runs = count()", "| where runs == 0"]
    assert code.count("ago(1h)") == code.count("ago(")


def test_a_tick_that_left_only_a_metric_is_no_missing_run_whoever_closed_it() -> None:
    code = code_of(DASHBOARDS / "alerts" / "run_missing.kql")

    assert '"compute.run.seconds"' in code
    assert "operation_Name" not in code
    assert code.count('customDimensions.trigger == "timer"') == 2


def test_alert_windows_are_ones_that_azure_offers() -> None:
    offered = {"PT5M", "PT15M", "PT30M", "PT1H", "PT6H", "P1D", "P2D"}

    windows = set(re.findall(r"(?:windowSize|evaluationFrequency): '(\w+)'", BICEP))

    assert windows
    assert windows <= offered
