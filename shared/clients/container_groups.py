"""Redeploys of container groups (Azure Container Instances): satisfies shared.scoring.redeploy.mover.Mover.

A restart carries no marker in Azure: before one is sent (again), starts and restart counts are looked
at. The window that remains, and what else a group cannot do, is in docs/container-groups.md.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from shared.clients.arm import Arm
from shared.clients.arm_answer import ArmAnswer
from shared.clients.container_group import Container, Group, read_group
from shared.clients.container_group_before import Before, container_details
from shared.clients.container_group_document import GroupDocument
from shared.clients.container_group_state import judge, refused_by_group
from shared.clients.lenient_json import text
from shared.clients.missing_right import told_as_right
from shared.clients.redaction import redact, without_settings
from shared.errors import AzureRequestError, ChangedByOthersError, CredentialError
from shared.scoring.aci import Aci
from shared.scoring.redeploy.mover import (
    CHANGED_BY_OTHERS,
    Change,
    ChangeKind,
    Marker,
    Phase,
    PlatformState,
    ServesAllAtOnce,
    Snapshot,
)
from shared.scoring.service import RESOURCE_IDS, Kind, Service

# Older ones would lose references to a vault in a PUT.
API_VERSION: Final = "2025-09-01"
PROVIDER: Final = "Microsoft.ContainerInstance/containerGroups"
MARK: Final = "redeploy_id"
# A step ends within a minute: a look, what the vault holds, and a change fit into it.
PATIENCE: Final = timedelta(seconds=20)
LOG_SECONDS: Final = 10.0
# With the states and events of a container as many as a record keeps of a look.
LOG_LINES: Final = 10
_NO_MODEL: Final = "a container group knows no models: order an image that holds the model"


class AciMover(ServesAllAtOnce):
    """Opened per invocation over `arm`. `own_secrets` are the names of the app's own secrets."""

    def __init__(
        self,
        arm: Arm,
        *,
        get_secret: Callable[[str], Awaitable[str]],
        own_secrets: frozenset[str],
        now: Callable[[], datetime],
    ) -> None:
        self._arm = arm
        self._get_secret = get_secret
        self._own_secrets = own_secrets
        self._now = now

    async def snapshot(self, service: Service) -> Snapshot:
        """GET the group: the image, the digest of its last pull, and what cannot be done to it."""
        group = await self._read(service)
        chosen, problem = _chosen(service, group)
        if chosen is None:
            return Snapshot(image="", digest=None, refuses=dict.fromkeys(ChangeKind, problem))
        refuses = {ChangeKind.MODEL: _NO_MODEL, **refused_by_group(group, url=service.url or "")}
        for kind, reason in (await self._refused_by_values(service, group, chosen)).items():
            refuses.setdefault(kind, reason)
        return Snapshot(
            image=chosen.image,
            digest=chosen.digest,
            details=container_details(group, chosen),
            refuses=refuses,
        )

    async def change(
        self, service: Service, change: Change, *, snapshot: Snapshot, marker: Marker
    ) -> None:
        """POST restart, or PUT the group with the new image, unless it is seen that it was done."""
        before = Before.read(snapshot.details)
        group = await self._read(service)
        if change.kind is ChangeKind.RESTART:
            if not before.restarted(group):
                await self._restart(service)
        elif change.kind is ChangeKind.IMAGE:
            if group.tags.get(MARK) != marker.redeploy_id:
                images = {before.container: change.target}
                await self._put(service, group, images=images, mark=marker.redeploy_id)
        else:
            raise AzureRequestError(_NO_MODEL, status=None)

    async def platform_state(
        self, service: Service, *, snapshot: Snapshot, marker: Marker, undone: bool
    ) -> PlatformState:
        """GET the group, and where it is not ready what its container printed last."""
        group = await self._read(service)
        before = Before.read(snapshot.details)
        others = "" if undone else before.strangers(group, marker)
        if others:
            said = f"somebody else deployed {others} in the meantime"
            return PlatformState(phase=Phase.FAILED, reason=CHANGED_BY_OTHERS, text=said)
        state = judge(group, before, undone=undone, marked=_is_marked(group, marker))
        if state.phase is Phase.READY:
            return state
        printed = await self._printed(service, before.container, group)
        return PlatformState(
            phase=state.phase,
            reason=state.reason,
            text=state.text,
            digest=state.digest,
            evidence=[*state.evidence, *printed],
        )

    async def undo(self, service: Service, *, snapshot: Snapshot, marker: Marker) -> None:
        """PUT the group with every image pinned to the digest that ran, unless that runs.

        A group with other images, or containers, than the redeploy's is somebody else's, and stays.
        """
        before = Before.read(snapshot.details)
        group = await self._read(service)
        mark = _undone(marker)
        if group.tags.get(MARK) == mark:
            return
        if group.tags.get(MARK) != marker.redeploy_id and before.runs_in(group):
            return
        others = before.strangers(group, marker)
        if others:
            raise ChangedByOthersError(f"somebody else deployed {others} meanwhile: it stays")
        await self._put(service, group, images=before.pinned, mark=mark)

    async def _read(self, service: Service) -> Group:
        path = _path(service)
        try:
            answer = await self._arm.get(path, deadline=self._deadline(), api_version=API_VERSION)
        except AzureRequestError as error:
            raise told_as_right(error, action=f"{PROVIDER}/read", on=path) from None
        return read_group(answer.body, seen_at=answer.date or self._now())

    async def _restart(self, service: Service) -> None:
        path = _path(service)
        answer = await self._arm.post(
            f"{path}/restart", deadline=self._deadline(), api_version=API_VERSION
        )
        _require(answer, action=f"{PROVIDER}/restart/action", on=path)

    async def _put(
        self, service: Service, group: Group, *, images: Mapping[str, str], mark: str
    ) -> None:
        document, declared = GroupDocument(group.document), _declared(service).secrets
        missing = document.missing(declared)
        if missing:
            raise AzureRequestError(_would_lose(missing), status=None)
        values = await self._values(document, declared)
        document.supply(values, declared)
        for container, image in images.items():
            document.set_image(container, image)
        document.set_tag(MARK, mark)
        path = _path(service)
        answer = await self._arm.put(
            path, document.body, deadline=self._deadline(), api_version=API_VERSION
        )
        _require(answer, action=f"{PROVIDER}/write", on=path)

    async def _refused_by_values(
        self, service: Service, group: Group, chosen: Container
    ) -> Mapping[ChangeKind, str]:
        """Say which kinds what Azure does not show forbids: digests of others, secure values."""
        unknown = [c.name for c in group.containers if c is not chosen and not c.digest]
        if unknown:
            reason = (
                f"the digest that runs in {', '.join(unknown)} is not known: its tag may have "
                "moved, and what runs could not be brought back"
            )
            return {ChangeKind.RESTART: reason, ChangeKind.IMAGE: reason}
        document, declared = GroupDocument(group.document), _declared(service).secrets
        missing = document.missing(declared)
        if missing:
            return {ChangeKind.IMAGE: _would_lose(missing)}
        try:
            await self._values(document, declared)
        except CredentialError as error:
            if error.retryable:
                raise
            return {ChangeKind.IMAGE: f"a secure value cannot be supplied again: {error}"}
        return {}

    async def _values(
        self, document: GroupDocument, declared: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Read the secure values that a group has, by field. Raises CredentialError."""
        return {field: await self._secret(declared[field]) for field in document.needed(declared)}

    async def _secret(self, name: str) -> str:
        # Names of secrets ignore case; this one would let a group act as the app in Azure.
        if name.lower() in self._own_secrets:
            raise CredentialError(f"Key Vault secret {name!r} is the app's own: it goes nowhere")
        value = await self._get_secret(name)
        if not value:
            raise CredentialError(f"Key Vault secret {name!r} is empty")
        return value

    async def _printed(self, service: Service, container: str, group: Group) -> Sequence[str]:
        """Return the end of a container's log, without settings and secure values known here."""
        path = f"{_path(service)}/containers/{container}/logs"
        try:
            async with asyncio.timeout(LOG_SECONDS):
                content = await self._log(path, service)
        except TimeoutError:
            return [f"{container}: its log did not come in time"]
        except CredentialError as error:
            return [f"{container}: its log is withheld, it may hold secrets: {error}"]
        except AzureRequestError as error:
            action = f"{PROVIDER}/containers/logs/read"
            told = told_as_right(error, action=action, on=path)
            return [f"{container}: its log cannot be read: {told}"]
        own = group.container(container)
        bare = without_settings(content, own.settings if own else {})
        return [f"{container}: log: {redact(line)}" for line in bare.splitlines()[-LOG_LINES:]]

    async def _log(self, path: str, service: Service) -> str:
        # Known before the log is read: without them it could not be shown.
        known = [await self._secret(name) for name in _declared(service).secrets.values()]
        answer = await self._arm.get(
            path, deadline=self._deadline(), api_version=API_VERSION, query=f"tail={LOG_LINES}"
        )
        content = text(answer.body, "content")
        for value in known:
            content = content.replace(value, "<secret>")
        return content

    def _deadline(self) -> datetime:
        return self._now() + PATIENCE


def _path(service: Service) -> str:
    """Return the id. Raises AzureRequestError for one that is no group's: it becomes a path."""
    resource_id = service.resource_id or ""
    if re.fullmatch(RESOURCE_IDS[Kind.ACI], resource_id, re.IGNORECASE):
        return resource_id
    problem = f"service {service.name} has no resource_id of a container group"
    raise AzureRequestError(problem, status=None)


def _declared(service: Service) -> Aci:
    return service.aci or Aci()


def _chosen(service: Service, group: Group) -> tuple[Container | None, str]:
    """Return the service's container, or why it is not known which that is."""
    name = _declared(service).container
    if name is None and len(group.containers) == 1:
        return group.containers[0], ""
    names = ", ".join(each.name for each in group.containers) or "none"
    found = group.container(name) if name else None
    asked = f"has no container {name}" if name else "has not one container alone"
    return found, "" if found else f"the group {asked}, but {names}: name one in aci.container"


def _would_lose(missing: Sequence[str]) -> str:
    return (
        f"a PUT of the group would lose {', '.join(missing)}, which Azure shows to nobody: name "
        "the Key Vault secret of each in aci.secrets"
    )


def _undone(marker: Marker) -> str:
    return f"undo of {marker.redeploy_id}"


def _is_marked(group: Group, marker: Marker) -> bool:
    return group.tags.get(MARK) in {marker.redeploy_id, _undone(marker)}


def _require(answer: ArmAnswer, *, action: str, on: str) -> None:
    """Raise unless Azure took it. A group in transition takes it later."""
    if answer.succeeded:
        return
    error = answer.as_error()
    if answer.status == HTTPStatus.CONFLICT:
        raise AzureRequestError(
            str(error), status=HTTPStatus.CONFLICT, code=error.code, retryable=True
        )
    raise told_as_right(error, action=action, on=on)
