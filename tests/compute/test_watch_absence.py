"""One instance that the lists of its workspace no longer show: gone only once Azure says so."""

from collections.abc import Sequence

from shared.compute.report import Outcome
from shared.compute.watch import Step, Watch
from tests.support.builders import a_watch, after, asked, look


def test_an_instance_missing_from_one_list_is_not_gone() -> None:
    watch = asked(a_watch())

    watch.look(None, seen_at=after(5))
    assert watch.is_open
    look(watch, "Stopping", at=10)
    watch.look(None, seen_at=after(15))

    assert watch.is_open
    assert watch.state == "Stopping"


def unlisted(*, at: Sequence[float] = (5, 10)) -> Watch:
    """A watch whose instance was asked to stop, and is missing from lists since."""
    watch = asked(a_watch())
    for second in at:
        watch.look(None, seen_at=after(second))
    return watch


def test_that_an_instance_missing_from_two_lists_is_gone_has_to_be_confirmed() -> None:
    assert unlisted(at=[5]).step(after(5)) is Step.LOOK
    watch = unlisted()
    assert watch.is_open
    assert watch.step(after(10)) is Step.CONFIRM_ABSENCE

    watch.gone()

    assert watch.outcome is Outcome.LEFT
    assert (watch.state, watch.seen_at) == (None, after(10))
    assert "deleted" in watch.detail


def test_an_instance_that_is_only_missing_from_lists_is_watched_on() -> None:
    watch = unlisted()

    watch.not_gone("Azure still has it, Stopped")
    assert watch.is_open

    assert look(watch, "Stopped", at=27).outcome is Outcome.STOPPED
    assert watch.seconds == 27


def test_an_instance_that_a_list_shows_again_is_not_gone_whatever_was_asked_before() -> None:
    watch = look(unlisted(), "Stopping", at=15)

    watch.gone()
    watch.not_gone("whether it was deleted is not known: 503")
    watch.close()

    assert watch.outcome is Outcome.STILL_STOPPING
    assert "not show it" not in watch.detail


def test_an_instance_missing_from_the_last_list_says_so() -> None:
    watch = unlisted(at=[5])
    assert watch.last_step() is Step.CONFIRM_ABSENCE

    watch.not_gone("whether it was deleted is not known: 403")
    watch.close()

    assert watch.outcome is Outcome.UNRESOLVED
    assert "did not show it; whether it was deleted is not known: 403." in watch.detail
