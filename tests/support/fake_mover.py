"""A platform in memory and its mover: passes the suite that every mover passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from shared.errors import AzureRequestError
from shared.scoring.redeploy.mover import (
    NOTHING_LEFT,
    Change,
    ChangeKind,
    Completion,
    Marker,
    Phase,
    PlatformState,
    Progress,
    Snapshot,
)
from shared.scoring.service import Service
from tests.support.redeploys import NEW_DIGEST, OLD_DIGEST
from tests.support.scoring_builders import RIGHT, WRONG
from tests.support.scripted import Asked, Scripted


@dataclass(frozen=True, kw_only=True)
class Running:
    """What runs. `by`: the marker of the redeploy that made it, empty: nobody's."""

    image: str = "registry.test/weight:1"
    digest: str = OLD_DIGEST
    by: str = ""
    undone: bool = False


@dataclass
class FakeMover:
    """`effects`: what was really done, per service. The rest is how the platform behaves.

    `looks`: how often it is looked at before a change is ready. `breaks`: what is new never gets
    ready. `wrong`: what is new answers wrongly. `shifts`: steps of traffic; `shift_looks`: how often
    each is looked at before it is carried out; `failing_shift`: the one that is not, by number from
    1. `proven_under`: the percent of the traffic at each golden request, None while it moves.
    `errors` are raised by the next calls, by name of the method.
    """

    running: dict[str, Running] = field(default_factory=dict)
    effects: list[tuple[str, str]] = field(default_factory=list)
    looks: int = 1
    breaks: bool = False
    wrong: bool = False
    old_is_wrong: bool = False
    knows_digest: bool = True
    shifts: int = 0
    shift_looks: int = 0
    failing_shift: int = 0
    refuses: dict[ChangeKind, str] = field(default_factory=dict)
    errors: dict[str, list[Exception]] = field(default_factory=dict)
    looked: int = 0
    shifted: int = 0
    moving: int = 0
    proven_under: list[int | None] = field(default_factory=list)

    async def snapshot(self, service: Service) -> Snapshot:
        self._fail("snapshot")
        now = self._running(service)
        digest = now.digest if self.knows_digest else None
        return Snapshot(image=now.image, digest=digest, refuses=dict(self.refuses))

    async def change(
        self,
        service: Service,
        change: Change,
        *,
        snapshot: Snapshot,  # noqa: ARG002  # the port's
        marker: Marker,
    ) -> None:
        self._fail("change")
        now = self._running(service)
        if now.by == marker.redeploy_id:
            return
        self.effects.append((service.name, "change"))
        image = change.target if change.kind is ChangeKind.IMAGE else now.image
        digest = now.digest if change.kind is ChangeKind.RESTART else NEW_DIGEST
        self.running[service.name] = Running(image=image, digest=digest, by=marker.redeploy_id)
        self.looked = 0
        self._fail("after change")

    async def platform_state(
        self, service: Service, *, snapshot: Snapshot, marker: Marker, undone: bool
    ) -> PlatformState:
        self._fail("platform_state")
        now = self._running(service)
        self.looked += 1
        if undone:
            back = now.digest == snapshot.digest and (now.undone or now.by != marker.redeploy_id)
            return PlatformState(phase=Phase.READY if back else Phase.WAITING, digest=now.digest)
        if self.breaks:
            return PlatformState(
                phase=Phase.FAILED, reason="CrashLoopBackOff", evidence=["exit code 137"]
            )
        ready = now.by == marker.redeploy_id and self.looked > self.looks
        return PlatformState(phase=Phase.READY if ready else Phase.WAITING, digest=now.digest)

    def proof_headers(self, *, snapshot: Snapshot, marker: Marker, share: int) -> Mapping[str, str]:
        del snapshot
        return {"x-deployment": marker.redeploy_id} if self.shifts and share < 100 else {}

    async def complete(
        self, service: Service, *, snapshot: Snapshot, marker: Marker, proven: int
    ) -> Completion:
        del snapshot, marker
        self._fail("complete")
        if self.moving:
            self.moving -= 1
            return Completion(progress=Progress.MOVING, text="it is Updating")
        if self.shifted and self.shifted == self.failing_shift:
            raise AzureRequestError("it is Failed: no quota", status=None)
        if self._share > proven:
            text = f"{self._share} % of the traffic is there"
            return Completion(progress=Progress.LANDED, share=self._share, text=text)
        if self.shifted == self.shifts:
            return NOTHING_LEFT
        self.shifted += 1
        self.moving = self.shift_looks
        self.effects.append((service.name, "shift"))
        return Completion(progress=Progress.MOVING, text=f"{self._share} % is asked for")

    async def undo(self, service: Service, *, snapshot: Snapshot, marker: Marker) -> None:
        self._fail("undo")
        now = self._running(service)
        if now.by != marker.redeploy_id or now.undone:
            return
        if self.moving:
            self.moving -= 1
            raise AzureRequestError("it is Updating", status=409, retryable=True)
        self.effects.append((service.name, "undo"))
        self.running[service.name] = Running(
            image=snapshot.image,
            digest=snapshot.digest or now.digest,
            by=marker.redeploy_id,
            undone=True,
        )

    def answer(self, name: str, asked: Asked) -> Scripted:
        """What the service itself answers: it depends on what runs."""
        now = self.running.get(name, Running())
        is_new = bool(now.by) and not now.undone
        wrong = self.wrong if is_new else self.old_is_wrong
        body = WRONG if wrong else RIGHT
        if is_new and asked.target.startswith("/weight"):
            self.proven_under.append(None if self.moving else self._share)
        return Scripted(body=body if asked.target.startswith("/weight") else b"{}")

    @property
    def _share(self) -> int:
        return 100 * self.shifted // self.shifts if self.shifts else 0

    def _running(self, service: Service) -> Running:
        return self.running.setdefault(service.name, Running())

    def _fail(self, method: str) -> None:
        if self.errors.get(method):
            raise self.errors[method].pop(0)

    def move_tag(self, name: str) -> None:
        """Have somebody push another image under the tag that runs."""
        self.running[name] = replace(self.running.get(name, Running()), digest=NEW_DIGEST)


def away(times: int = 1) -> list[Exception]:
    """Azure is away for so many calls."""
    return [AzureRequestError("503: busy", status=503, retryable=True) for _ in range(times)]
