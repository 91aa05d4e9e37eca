"""Whatever Azure shows and answers, in whatever order, a watch keeps its promises."""

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.compute.azure import AnswerKind, OperationState, StopAnswer
from shared.compute.instance import Compute, InstanceState, LastOperation
from shared.compute.report import Outcome
from shared.compute.watch import Step, Watch
from tests.support.builders import a_watch, after, an_instance, an_operation

STATES = st.one_of(st.none(), st.sampled_from([*InstanceState, "Hibernating"]))
SECONDS = st.integers(min_value=0, max_value=2000)


@st.composite
def operations(draw: st.DrawFn) -> LastOperation:
    return an_operation(
        draw(st.sampled_from(["Start", "Stop", "Restart", "Create", ""])),
        at=draw(st.one_of(st.none(), SECONDS.map(after))),
        status=draw(st.sampled_from(["Succeeded", "InProgress", "StopFailed", ""])),
        trigger=draw(st.sampled_from(["User", "Schedule", ""])),
    )


@st.composite
def computes(draw: st.DrawFn) -> Compute:
    return an_instance(
        state=draw(STATES),
        last_operation=draw(operations()),
        tags=draw(st.sampled_from([None, None, {"shutdown": "never"}])),
    )


ANSWERS = st.builds(StopAnswer, kind=st.sampled_from(AnswerKind), at=SECONDS.map(after))
OPERATION_STATES = st.one_of(
    st.none(),
    st.builds(OperationState, status=st.sampled_from(["InProgress", "Succeeded", "Failed", "?"])),
)


@dataclass(frozen=True, kw_only=True)
class Round:
    """What Azure would answer and show in one round of a pursuit."""

    seconds: int
    answer: StopAnswer
    operation: OperationState | None
    listed: Compute | None
    exists: bool


ROUNDS = st.lists(
    st.builds(
        Round,
        seconds=st.integers(min_value=1, max_value=70),
        answer=ANSWERS,
        operation=OPERATION_STATES,
        listed=st.one_of(st.none(), computes()),
        exists=st.booleans(),
    ),
    max_size=15,
)


@dataclass
class Story:
    """A watch that was pursued through some rounds, and what it asked."""

    watch: Watch
    at: float = 0
    asked_at: list[float] = field(default_factory=list)
    asked_in: list[str | None] = field(default_factory=list)
    answers: list[AnswerKind] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    was_confirmed_gone: bool = False

    def play(self, each: Round) -> None:
        step = self.watch.step(after(self.at))
        if step is Step.ASK:
            self._ask(each.answer)
        elif step is Step.READ_OPERATION:
            self._read(each.operation)
        elif step is Step.CONFIRM_ABSENCE:
            self._confirm(exists=each.exists)
        self._note()
        self.at += each.seconds
        self.watch.look(each.listed, seen_at=after(self.at))
        self._note()

    def close(self) -> None:
        self.watch.close()
        self._note()

    def _ask(self, answer: StopAnswer) -> None:
        self.asked_at.append(self.at)
        self.asked_in.append(self.watch.state)
        self.watch.asking(after(self.at))
        self.answers.append(answer.kind)
        self.watch.answered(answer, now=after(self.at))

    def _read(self, operation: OperationState | None) -> None:
        if operation is None:
            self.watch.operation_unreadable("503")
        else:
            self.watch.read(operation)

    def _confirm(self, *, exists: bool) -> None:
        if exists:
            self.watch.not_gone("Azure still has it")
        else:
            self.was_confirmed_gone = True
            self.watch.gone()

    def _note(self) -> None:
        if self.watch.outcome is not None:
            self.outcomes.append(self.watch.outcome)


def told(first: Compute, rounds: list[Round]) -> Story:
    story = Story(watch=a_watch(first))
    for each in rounds:
        story.play(each)
    story.close()
    return story


@given(first=computes(), rounds=ROUNDS)
def test_a_watch_ends_with_exactly_one_outcome(first: Compute, rounds: list[Round]) -> None:
    story = told(first, rounds)

    assert len(set(story.outcomes)) == 1
    assert story.watch.step(after(story.at)) is Step.NONE


@given(first=computes(), rounds=ROUNDS)
def test_stopped_is_said_only_of_what_the_last_list_showed_stopped(
    first: Compute, rounds: list[Round]
) -> None:
    watch = told(first, rounds).watch

    if watch.outcome in {Outcome.STOPPED, Outcome.ALREADY_STOPPED}:
        assert watch.state == "Stopped"


@given(first=computes(), rounds=ROUNDS)
def test_an_instance_is_gone_only_if_azure_said_so(first: Compute, rounds: list[Round]) -> None:
    story = told(first, rounds)

    assert (story.watch.seen is None) == story.was_confirmed_gone


@given(first=computes(), rounds=ROUNDS)
def test_an_accepted_stop_is_never_sent_again(first: Compute, rounds: list[Round]) -> None:
    answers = told(first, rounds).answers

    assert AnswerKind.ACCEPTED not in answers[:-1]
    assert AnswerKind.REFUSED not in answers[:-1]


@given(first=computes(), rounds=ROUNDS)
def test_only_what_was_seen_up_is_asked_to_stop(first: Compute, rounds: list[Round]) -> None:
    seen = told(first, rounds).asked_in

    assert set(seen) <= {"Running", "Unusable", "SetupFailed", "UserSetupFailed"}


@given(first=computes(), rounds=ROUNDS)
def test_two_requests_are_ten_seconds_apart_at_least(first: Compute, rounds: list[Round]) -> None:
    at = told(first, rounds).asked_at

    assert all(later - earlier >= 10 for earlier, later in pairwise(at))


@given(first=computes(), rounds=ROUNDS)
def test_a_tagged_instance_is_never_asked(first: Compute, rounds: list[Round]) -> None:
    if first.tags:
        assert not told(first, rounds).answers


@given(first=computes(), rounds=ROUNDS)
def test_an_end_that_nobody_saw_is_explained(first: Compute, rounds: list[Round]) -> None:
    watch = told(first, rounds).watch

    good = {Outcome.STOPPED, Outcome.ALREADY_STOPPED, Outcome.LEFT}
    assert watch.outcome in good or watch.detail
