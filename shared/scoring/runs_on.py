"""What a web service of SDK v1 runs on: a container group, or a Deployment of an AKS cluster.

Azure ML made it, and v1 has no restart: whoever may restart what is beneath names it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final, Protocol

from pydantic import Field, StringConstraints

from shared.scoring.kind import RESOURCE_IDS, Kind

RunsOn = Annotated[
    Annotated[str, StringConstraints(max_length=1000)] | None,
    Field(
        description="Of kind `aml-v1`, for restarts: ARM id of the container group, or of the AKS "
        "cluster (with its Deployment in `aks`), beneath it. Absent: a restart is the change of a "
        "property, and Azure does not say whether containers start anew."
    ),
]
_BENEATH: Final = (Kind.ACI, Kind.AKS)


def kind_beneath(runs_on: str | None) -> Kind | None:
    """Return as what kind of service it is restarted; None where no such resource is named."""
    named = (each for each in _BENEATH if _is_id_of(each, runs_on or ""))
    return next(named, None)


class NamesPlatform(Protocol):
    """What a service says of where it runs."""

    @property
    def kind(self) -> Kind: ...
    @property
    def resource_id(self) -> str | None: ...
    @property
    def runs_on(self) -> str | None: ...
    @property
    def aks(self) -> object | None: ...
    @property
    def aci(self) -> object | None: ...


def platform_problems(service: NamesPlatform) -> Iterator[str]:
    """Say what does not go together of what names the platform of a service."""
    beneath = kind_beneath(service.runs_on)
    known = service.kind if service.resource_id else None
    if service.aks and Kind.AKS not in {known, beneath}:
        yield "aks needs kind aks, and resource_id: the cluster (or aml-v1, and runs_on)"
    if service.aci and Kind.ACI not in {known, beneath}:
        yield "aci needs kind aci, and resource_id: the container group (or aml-v1, and runs_on)"
    if service.runs_on is not None:
        yield from _problems_beneath(service, known, beneath)


def _problems_beneath(
    service: NamesPlatform, known: Kind | None, beneath: Kind | None
) -> Iterator[str]:
    if known is not Kind.AML_V1:
        yield "runs_on needs kind aml-v1, and resource_id: the web service"
    if beneath is None:
        yield "runs_on must be the ARM id of a container group or of an AKS cluster"
    if beneath is Kind.AKS and not service.aks:
        yield "runs_on is a cluster: name the Deployment in aks"


def _is_id_of(kind: Kind, resource_id: str) -> bool:
    return re.fullmatch(RESOURCE_IDS[kind], resource_id, re.IGNORECASE) is not None
