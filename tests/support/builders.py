"""Valid nouns of the domain; a test names only what matters to it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from shared.compute.azure import AnswerKind, StopAnswer
from shared.compute.instance import Compute, LastOperation, Workspace
from shared.compute.patience import Patience
from shared.compute.policy import decide
from shared.compute.rulebook import Rulebook
from shared.compute.watch import Step, Watch

SUBSCRIPTION = "8f4b6a1e-3c27-4d58-9b0e-5a7c1d2e3f40"
OTHER_SUBSCRIPTION = "c2d9e7f3-6b14-4a80-8e5d-91f0a3b7c864"
NIGHT = datetime(2026, 11, 20, 22, tzinfo=UTC)
LONG_AGO = NIGHT - timedelta(hours=9)


def after(seconds: float) -> datetime:
    """So many seconds into the night."""
    return NIGHT + timedelta(seconds=seconds)


def a_workspace(
    name: str = "mlw-churn",
    *,
    subscription_id: str = SUBSCRIPTION,
    group: str = "rg-ml",
    tags: Mapping[str, str] | None = None,
) -> Workspace:
    return Workspace(
        id=f"/subscriptions/{subscription_id}/resourceGroups/{group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{name}",
        name=name,
        subscription_id=subscription_id,
        location="westeurope",
        tags=tags or {},
    )


def an_instance(
    name: str = "ci-ada",
    *,
    state: str | None = "Running",
    workspace: Workspace | None = None,
    tags: Mapping[str, str] | None = None,
    last_operation: LastOperation | None = None,
) -> Compute:
    home = workspace or a_workspace()
    return Compute(
        id=f"{home.id}/computes/{name}",
        name=name,
        workspace=home,
        compute_type="ComputeInstance",
        location=home.location,
        state=state,
        owner="ada.lindqvist@contoso.example",
        vm_size="STANDARD_DS3_V2",
        tags=tags or {},
        last_operation=last_operation or an_operation(),
    )


def an_operation(
    name: str = "Start",
    *,
    at: datetime | None = LONG_AGO,
    status: str = "Succeeded",
    trigger: str = "User",
) -> LastOperation:
    return LastOperation(name=name, at=at, status=status, trigger=trigger)


def an_answer(kind: AnswerKind = AnswerKind.ACCEPTED, *, at: datetime = NIGHT) -> StopAnswer:
    accepted = kind is AnswerKind.ACCEPTED
    return StopAnswer(
        kind=kind,
        at=at,
        code="" if accepted else "SomeCode",
        message="" if accepted else "Some words.",
        operation="https://management.azure.com/operation?s=signature" if accepted else "",
    )


def a_watch(compute: Compute | None = None) -> Watch:
    """A watch in a night when nothing may be up."""
    return Watch(
        compute or an_instance(),
        seen_at=NIGHT,
        judge=lambda seen, at: decide(seen, book=Rulebook(), at=at),
        patience=Patience(),
    )


def asked(watch: Watch, kind: AnswerKind = AnswerKind.ACCEPTED, *, at: float = 0) -> Watch:
    """The same watch, once it has asked for a stop and was answered."""
    assert watch.step(after(at)) is Step.ASK
    watch.asking(after(at))
    watch.answered(an_answer(kind, at=after(at)), now=after(at))
    return watch


def look(
    watch: Watch,
    state: str | None,
    *,
    at: float = 5,
    last: LastOperation | None = None,
    tags: Mapping[str, str] | None = None,
) -> Watch:
    """The same watch, once a list has shown its instance in a state."""
    watch.look(an_instance(state=state, tags=tags, last_operation=last), seen_at=after(at))
    return watch
