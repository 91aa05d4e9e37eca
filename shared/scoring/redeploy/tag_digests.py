"""When the tag of a running image leads to another digest, and whether to follow it there.

What is followed is the tag that runs, or the last one that a redeploy named: undoing pins an image to
its digest, and must not end the following. A digest is tried once, until the tag led elsewhere in
the meantime, and never again once it was undone, as far as the records reach. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.scoring.redeploy.healing import Cause
from shared.scoring.redeploy.image_reference import ImageReference, parse_image
from shared.scoring.redeploy.mover import Change, ChangeKind, Snapshot
from shared.scoring.redeploy.record import Redeploy, State, Trigger

# What refused it may last, and a refused redeploy costs no budget.
_AFTER_REFUSAL: Final = timedelta(hours=1)
_PUT_BACK: Final = frozenset({State.UNDONE, State.UNDO_FAILED, State.ABORTED})


class TagDigests(Protocol):
    """What registries say of tags."""

    async def digest_of(self, image: str) -> str | None:
        """Return the digest (`sha256:...`) that a reference's tag leads to now; None: no such tag.

        Raises AzureRequestError, MissingRightError or CredentialError.
        """


def followed_tag(snapshot: Snapshot, recent: Sequence[Redeploy]) -> ImageReference | None:
    """Return the reference whose tag is followed; None where none was ever named.

    `recent`: the service's redeploys, oldest first.
    """
    running = parse_image(snapshot.image)
    if running is None:
        return None
    named = (each for each in _named(snapshot, recent) if each.name == running.name and each.tag)
    return next(named, None)


def running_digest(snapshot: Snapshot) -> str:
    """Return the digest that runs, by the platform or by the reference; empty: nobody knows."""
    declared = parse_image(snapshot.image)
    return snapshot.digest or (declared.digest if declared else "")


def cause_to_follow(
    followed: ImageReference,
    recent: Sequence[Redeploy],
    *,
    running: str,
    digest: str,
    now: datetime,
) -> Cause | None:
    """Return the redeploy that brings the tag's `digest` where `running` runs; None: leave it alone."""
    if digest == running or _was_tried(digest, recent) or _was_refused(digest, recent, now):
        return None
    return Cause(
        trigger=Trigger.TAG,
        change=Change(kind=ChangeKind.IMAGE, target=followed.at(digest)),
        reason=f"the tag {followed.tagged} moved: {running} runs, it leads to {digest}"[:500],
    )


def _named(snapshot: Snapshot, recent: Sequence[Redeploy]) -> Iterator[ImageReference]:
    """All references that are known, the latest first."""
    for text in (snapshot.image, *_images(recent)):
        found = parse_image(text)
        if found is not None:
            yield found


def _images(recent: Sequence[Redeploy]) -> Iterator[str]:
    for each in reversed(recent):
        if each.change.kind is ChangeKind.IMAGE and each.state is not State.REFUSED:
            yield each.change.target
        if each.snapshot is not None:
            yield each.snapshot.image


def _was_tried(digest: str, recent: Sequence[Redeploy]) -> bool:
    """Whether it was tried since the tag led there last, or was ever put back."""
    touched = [each for each in recent if each.state is not State.REFUSED and not each.dry_run]
    tries = [each for each in touched if _tries(each, digest)]
    if any(each.state in _PUT_BACK for each in tries):
        return True
    moves = [each for each in touched if each.trigger is Trigger.TAG]
    elsewhere = max((each.created_at for each in moves if each not in tries), default=None)
    return any(elsewhere is None or each.created_at > elsewhere for each in tries)


def _tries(redeploy: Redeploy, digest: str) -> bool:
    if redeploy.change.kind is not ChangeKind.IMAGE:
        return False
    ordered = parse_image(redeploy.change.target)
    # What ran at the end of one that was undone is what ran before.
    ran = None if redeploy.state in _PUT_BACK else redeploy.digest_after
    return digest in {ordered.digest if ordered else "", ran}


def _was_refused(digest: str, recent: Sequence[Redeploy], now: datetime) -> bool:
    return any(
        each.state is State.REFUSED
        and each.trigger is Trigger.TAG
        and _tries(each, digest)
        and now - each.created_at < _AFTER_REFUSAL
        for each in recent
    )
