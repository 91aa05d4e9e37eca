"""The ledger keeps a bounded past and forgets nothing that still runs."""

from datetime import UTC, datetime

from local_host.invocation import Ledger, Status

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_the_oldest_ended_invocations_are_forgotten_first() -> None:
    ledger = Ledger(clock=lambda: NOW, keep=2)
    running = ledger.begin("runs")
    ended = [ledger.end(ledger.begin("ended")) for _ in range(3)]

    newest = ledger.begin("newest")

    assert ledger.get(running.id) == running
    assert ledger.get(newest.id) == newest
    assert [ledger.get(each.id) for each in ended] == [None, None, None]


def test_an_error_makes_a_failure() -> None:
    ledger = Ledger(clock=lambda: NOW)

    failed = ledger.end(ledger.begin("f"), error="ValueError: boom")

    assert failed.status is Status.FAILED
    assert failed.as_json() == {
        "function": "f",
        "status": "failed",
        "error": "ValueError: boom",
        "started_at": "2030-01-01T00:00:00.000Z",
        "ended_at": "2030-01-01T00:00:00.000Z",
    }
