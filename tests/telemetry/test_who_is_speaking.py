"""The operation and the properties bound around records, across tasks and threads."""

import asyncio

import pytest

from shared.telemetry import Event, Operation, bound, current, current_operation, operation
from tests.support.telemetry import RecordingTelemetry


def test_nothing_is_bound_outside() -> None:
    assert dict(current()) == {}
    assert current_operation() is None


def test_what_is_bound_adds_to_what_is_bound_around_it() -> None:
    with bound(run_id="r-1"):
        with bound(workspace="ml-1"):
            inside = dict(current())
        after = dict(current())

    assert inside == {"run_id": "r-1", "workspace": "ml-1"}
    assert after == {"run_id": "r-1"}
    assert dict(current()) == {}


def test_an_operation_ends_with_its_block_even_when_it_fails() -> None:
    def fail() -> None:
        with operation("shutdown_timer", trace_parent="00-a-b-01"):
            seen.append(current_operation())
            raise ZeroDivisionError

    seen: list[Operation | None] = []
    with pytest.raises(ZeroDivisionError):
        fail()

    assert seen == [Operation(name="shutdown_timer", trace_parent="00-a-b-01")]
    assert current_operation() is None


def test_an_empty_traceparent_is_none_at_all() -> None:
    with operation("shutdown_timer", trace_parent=""):
        speaking = current_operation()

    assert speaking == Operation(name="shutdown_timer", trace_parent=None)


async def test_tasks_and_threads_speak_for_the_operation_that_started_them() -> None:
    async def name() -> str:
        speaking = current_operation()
        return speaking.name if speaking else ""

    with operation("shutdown_timer"):
        task = asyncio.create_task(name())
        thread = asyncio.to_thread(current_operation)
        in_task, in_thread = await asyncio.gather(task, thread)

    assert in_task == "shutdown_timer"
    assert in_thread is not None
    assert in_thread.name == "shutdown_timer"


async def test_operations_side_by_side_do_not_mix() -> None:
    telemetry = RecordingTelemetry()

    async def invocation(name: str, run_id: str) -> None:
        with operation(name), bound(run_id=run_id):
            await asyncio.sleep(0)
            telemetry.event(Event.HISTORY_LOST, operation="read", error=None)

    await asyncio.gather(invocation("shutdown_timer", "r-1"), invocation("shutdown_http", "r-2"))

    told = {(each.operation, each.properties["run_id"]) for each in telemetry.events}
    assert told == {("shutdown_timer", "r-1"), ("shutdown_http", "r-2")}
