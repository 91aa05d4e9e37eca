"""Ask Azure about one instance what no list tells: why its stop has no effect, whether it is gone."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from shared.compute.containment import contained
from shared.compute.run import Run
from shared.compute.watch import Step, Watch
from shared.errors import AzureRequestError, OpsError

NOT_KNOWN = "whether it was deleted is not known: {}"


async def inquire(run: Run, watch: Watch, step: Step, *, deadline: datetime) -> None:
    """Carry out READ_OPERATION or CONFIRM_ABSENCE; whatever cannot be read is kept in the watch."""
    with contained(run, watch.first.workspace.id, about=watch.first.name) as mishap:
        if step is Step.CONFIRM_ABSENCE:
            await _confirm_absence(run, watch, deadline=deadline)
        elif step is Step.READ_OPERATION:
            await _read_operation(run, watch, deadline=deadline)
    if mishap.why and step is Step.CONFIRM_ABSENCE:
        watch.not_gone(NOT_KNOWN.format(mishap.why))
    elif mishap.why:
        watch.operation_unreadable(mishap.why)


async def _confirm_absence(run: Run, watch: Watch, *, deadline: datetime) -> None:
    try:
        found = await run.azure.get_compute(watch.first, deadline=deadline)
    except OpsError as error:
        if isinstance(error, AzureRequestError) and error.status == HTTPStatus.NOT_FOUND:
            watch.gone()
        else:
            watch.not_gone(NOT_KNOWN.format(error))
    else:
        watch.not_gone(f"Azure still has it, {found.state or 'being created'}")


async def _read_operation(run: Run, watch: Watch, *, deadline: datetime) -> None:
    if watch.answer is None:
        return
    try:
        operation = await run.azure.get_operation(watch.answer, deadline=deadline)
    except OpsError as error:
        watch.operation_unreadable(str(error))
    else:
        watch.read(operation)
