"""An invocation speaks as its function, below the host's span, and sends what it said before it ends."""

from types import SimpleNamespace

import pytest

from shared.errors import SettingsError
from shared.invocation import Invocation, speaking_as
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
