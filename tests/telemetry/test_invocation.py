"""An invocation speaks as its function, below the host's span, and sends what it said before it ends."""

from types import SimpleNamespace

import pytest

from shared.errors import SettingsError
from shared.invocation import Invocation, answered, speaking_as
from shared.replies import Reply
from shared.telemetry import Operation, Telemetry, current_operation
from tests.support.telemetry import RecordingTelemetry

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def an_invocation() -> Invocation:
    return SimpleNamespace(
        function_name="shutdown_timer", trace_context=SimpleNamespace(trace_parent=PARENT)
    )


async def test_what_is_said_inside_bears_the_name_and_the_parent_that_the_host_gave() -> None:
    telemetry = RecordingTelemetry()

    async with speaking_as(an_invocation(), lambda: telemetry):
        inside, sent_early = current_operation(), telemetry.flushes

    assert inside == Operation(name="shutdown_timer", trace_parent=PARENT)
    assert current_operation() is None
    assert (sent_early, telemetry.flushes) == (0, 1)


async def test_records_are_sent_though_the_invocation_fails() -> None:
    telemetry = RecordingTelemetry()

    with pytest.raises(ZeroDivisionError):
        async with speaking_as(an_invocation(), lambda: telemetry):
            raise ZeroDivisionError

    assert telemetry.flushes == 1


async def test_broken_settings_are_left_to_who_needs_them() -> None:
    def broken() -> Telemetry:
        raise SettingsError(["KEY_VAULT_URL is not set"])

    async with speaking_as(an_invocation(), broken):
        inside = current_operation()

    assert inside == Operation(name="shutdown_timer", trace_parent=PARENT)


@pytest.mark.parametrize(
    ("unread", "status", "works"),
    [({}, 202, True), ({"code": "a-key"}, 202, True), ({"dry_run": "true"}, 400, False)],
    ids=["no query", "a key", "an order in the query"],
)
async def test_a_query_that_nobody_reads_is_refused_before_anything_is_done(
    unread: dict[str, str],
    status: int,
    works: bool,  # noqa: FBT001  # a case
) -> None:
    telemetry, done = RecordingTelemetry(), []

    async def work() -> Reply:
        done.append(current_operation())
        return Reply(status=202)

    reply = await answered(an_invocation(), work, telemetry=lambda: telemetry, unread=unread)

    assert (reply.status, telemetry.flushes) == (status, 1)
    assert done == ([Operation(name="shutdown_timer", trace_parent=PARENT)] if works else [])
