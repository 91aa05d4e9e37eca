"""How a container group was before a redeploy, as its record keeps it, and what differs since.

It holds no environment and no other setting: even plain ones are nobody's business but the group's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import JsonValue

from shared.clients.container_group import Container, Group
from shared.clients.lenient_json import as_object, as_time, count, text
from shared.scoring.redeploy.mover import ChangeKind, Marker

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class ContainerBefore:
    """A container then. Times are Azure's."""

    image: str
    digest: str | None
    started_at: datetime
    pulled_at: datetime
    restarts: int

    def is_fresh(self, now: Container) -> bool:
        """Whether it was started anew since, and not only by itself after a crash.

        A pull since then says so; without one a newer start does, unless it crashed more than once.
        """
        if now.pulled is not None and now.pulled.at > self.pulled_at:
            return True
        newer = now.started_at is not None and now.started_at > self.started_at
        return newer and now.restarts <= self.restarts + 1


@dataclass(frozen=True, kw_only=True)
class Before:
    """What a snapshot's details say. `container` is the service's own."""

    container: str
    seen_at: datetime
    provisioning_state: str
    containers: Mapping[str, ContainerBefore]

    @classmethod
    def read(cls, details: Mapping[str, JsonValue]) -> Before:
        """Read what `container_details` wrote."""
        found = as_object(details.get("containers"))
        return cls(
            container=text(details, "container"),
            seen_at=as_time(text(details, "seen_at")) or _LONG_AGO,
            provisioning_state=text(details, "provisioning_state"),
            containers={name: _container(as_object(each)) for name, each in found.items()},
        )

    @property
    def pinned(self) -> Mapping[str, str]:
        """Return every container's image as it ran: by digest where that is known."""
        return {name: _pin(each) for name, each in self.containers.items()}

    def strangers(self, group: Group, marker: Marker) -> str:
        """Return the images of a group that were neither there nor put there by the redeploy."""
        if marker.change is None:
            return ""
        known = {name: {each.image, _pin(each)} for name, each in self.containers.items()}
        known.setdefault(self.container, set()).add(marker.made(ChangeKind.IMAGE))
        strange = [each for each in group.containers if each.image not in known.get(each.name, ())]
        return ", ".join(f"{each.image} as {each.name}" for each in strange)

    def restarted(self, group: Group) -> bool:
        """Whether every container was started anew since."""
        known = [(each, self.containers.get(each.name)) for each in group.containers]
        return bool(known) and all(then is None or then.is_fresh(each) for each, then in known)

    def runs_in(self, group: Group) -> bool:
        """Whether every container was last pulled by the digest of then."""
        return all(
            then.digest == each.digest
            for each in group.containers
            if (then := self.containers.get(each.name)) is not None
        )


def container_details(group: Group, chosen: Container) -> Mapping[str, JsonValue]:
    """Return what undoing and recognising a restart take."""
    return {
        "container": chosen.name,
        "seen_at": group.seen_at.isoformat(),
        "provisioning_state": group.provisioning_state,
        "containers": {
            each.name: {
                "image": each.image,
                "digest": each.digest,
                "started_at": each.started_at.isoformat() if each.started_at else None,
                "pulled_at": each.pulled.at.isoformat() if each.pulled else None,
                "restarts": each.restarts,
            }
            for each in group.containers
        },
    }


def _container(said: Mapping[str, JsonValue]) -> ContainerBefore:
    return ContainerBefore(
        image=text(said, "image"),
        digest=text(said, "digest") or None,
        started_at=as_time(text(said, "started_at")) or _LONG_AGO,
        pulled_at=as_time(text(said, "pulled_at")) or _LONG_AGO,
        restarts=count(said, "restarts") or 0,
    )


def _pin(then: ContainerBefore) -> str:
    if then.digest is None:
        return then.image
    name = then.image.partition("@")[0]
    host, slash, last = name.rpartition("/")
    return f"{host}{slash}{last.partition(':')[0]}@{then.digest}"
