"""What runs in a thread of azureml-core's: opening a workspace, and what is asked of its services.

Sunset, as the SDK is (support ended on 30 June 2026). It is heavy, some 3 s and 100 MB, so it is
loaded by the first call; nothing on the way to a shutdown imports it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from shared.clients.azureml_error import translated
from shared.clients.lenient_json import as_object, text, texts
from shared.clients.redaction import redact
from shared.errors import AzureRequestError, OpsError
from shared.scoring.azure import FoundService, ServiceKey, SignIn
from shared.scoring.service import Kind
from shared.shortening import shortened

Result = TypeVar("Result")
MOST_OF_AN_ERROR = 250


@dataclass(frozen=True, kw_only=True)
class Named:
    """An ARM id in parts; `service` is empty for a workspace."""

    id: str
    workspace_id: str
    subscription: str
    group: str
    workspace: str
    service: str = ""


# The workspace as the SDK has it, and what is asked about.
Work = Callable[[Any, Named], Result]


def carry_out(work: Work[Result], named: Named, token_for: Callable[[str], str]) -> Result:
    """Open the workspace and work on it. `token_for` takes an audience. Raises OpsError alone."""
    try:
        return work(_open(named, token_for), named)
    except OpsError:
        raise
    except Exception as error:  # noqa: BLE001  # the SDK raises whatever its parts raise
        told = translated(error, about=named.id)
    # Raised outside the handler: a chained traceback would quote what the SDK was answered.
    raise told


def list_services(workspace: Any, named: Named) -> Sequence[FoundService]:
    """Ask for every service of the workspace."""
    from azureml.core.webservice import Webservice

    return [_found(each, named) for each in Webservice.list(workspace)]


def get_service(workspace: Any, named: Named) -> FoundService:
    return _found(_service(workspace, named), named)


def get_key(workspace: Any, named: Named) -> ServiceKey:
    """Ask for the keys; raises AzureRequestError for a service that signs in without."""
    service = _service(workspace, named)
    _require(service, named, SignIn.KEY)
    primary, _secondary = service.get_keys()
    return ServiceKey(value=primary)


def get_token(workspace: Any, named: Named) -> ServiceKey:
    """Ask for a token; raises AzureRequestError for a service that signs in without."""
    service = _service(workspace, named)
    _require(service, named, SignIn.AML_TOKEN)
    token = service.get_access_token()
    return ServiceKey(
        value=token.access_token,
        # The SDK makes them of Unix seconds, in local time without a zone.
        refresh_after=token.refresh_after.astimezone(UTC),
        expires_at=token.expiry_on.astimezone(UTC),
    )


def _silence() -> None:
    """Keep the SDK's records to itself: its errors quote whole answers there, tokens and all."""
    logging.getLogger("azureml").setLevel(logging.CRITICAL + 1)


def _open(named: Named, token_for: Callable[[str], str]) -> Any:
    from azureml.core import Workspace
    from azureml.core.authentication import TokenAuthentication

    _silence()
    return Workspace(
        named.subscription,
        named.group,
        named.workspace,
        auth=TokenAuthentication(get_token_for_audience=token_for),
    )


def _service(workspace: Any, named: Named) -> Any:
    from azureml.core.webservice import Webservice

    return Webservice(workspace, named.service)


def _require(service: Any, named: Named, wanted: SignIn) -> None:
    if _sign_in(service) is not wanted:
        problem = f"{named.id} signs in with: {_sign_in(service)}"
        raise AzureRequestError(problem, status=None)


def _found(service: Any, named: Named) -> FoundService:
    """Read what the SDK made of a service; kinds differ in what they have."""
    return FoundService(
        id=f"{named.workspace_id}/services/{service.name}",
        name=service.name,
        workspace_id=named.workspace_id,
        kind=Kind.AML_V1,
        runs_on=service.compute_type or "",
        scoring_uri=getattr(service, "scoring_uri", None) or "",
        sign_in=_sign_in(service),
        state=service.state or "",
        tags=texts(service.tags),
        properties=texts(service.properties),
        image=service.image_digest or service.image_id or "",
        error=error_of(service.error),
        created_at=_in_utc(service.created_time),
    )


def error_of(said: object) -> str:
    """Return why a service failed; Azure writes of logs there, with signed addresses."""
    found = as_object(said)
    parts = [said] if isinstance(said, str) else [text(found, "code"), text(found, "message")]
    return shortened(redact(": ".join(filter(None, parts))), MOST_OF_AN_ERROR)


def _sign_in(service: Any) -> SignIn:
    if service.auth_enabled:
        return SignIn.KEY
    return SignIn.AML_TOKEN if service.token_auth_enabled else SignIn.NONE


def _in_utc(when: datetime | None) -> datetime | None:
    if when is None or when.tzinfo:
        return when
    return when.replace(tzinfo=UTC)
