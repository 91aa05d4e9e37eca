"""Who calls a cluster's API, and what they may do there.

Source: learn.microsoft.com/azure/aks/azure-ad-rbac: a token of Entra ID for the AKS server
application, then roles of Kubernetes. Words: pkg/apis/authorization and apiserver's 403 of 1.32.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from azure_emulator.entra import Directory, Principal, TokenError
from azure_emulator.entra.directory import SERVICE_PRINCIPAL_OBJECT_ID
from azure_emulator.kubernetes.errors import GROUPS, KubernetesError, qualified
from azure_emulator.kubernetes_seed import ManagedClusterSeed, RuleSeed

# The same in all tenants and clouds: Azure/kubelogin, docs/book/src/concepts/aks.md.
SERVER_APPLICATION: Final = "6dae42f8-4368-4678-94ff-3960e28e3630"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request wants: a verb of Kubernetes on a resource. Empty names stand for all."""

    verb: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def resource(self) -> str:
        return f"{self.plural}/{self.subresource}" if self.subresource else self.plural


def caller_of(request: Request, directory: Directory) -> Principal:
    """Who calls. Raises KubernetesError 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    shown = token.strip() if scheme.lower() == "bearer" else ""
    try:
        return directory.verify(shown, audiences=frozenset({SERVER_APPLICATION}))
    except TokenError:
        raise KubernetesError(401, "Unauthorized", "Unauthorized") from None


def require(seed: ManagedClusterSeed, caller: Principal, asked: Asked) -> None:
    """Raise KubernetesError 403 unless a rule of the cluster allows it."""
    if allows(seed, caller, asked):
        return
    raise KubernetesError(403, "Forbidden", _words(caller, asked))


def allows(seed: ManagedClusterSeed, caller: Principal, asked: Asked) -> bool:
    """Whether a rule of the cluster allows it; only the service principal has any."""
    return any(_covers(rule, asked) for rule in rules_of(seed, caller))


def rules_of(seed: ManagedClusterSeed, caller: Principal) -> Sequence[RuleSeed]:
    return seed.rules if caller.object_id == SERVICE_PRINCIPAL_OBJECT_ID else ()


def _covers(rule: RuleSeed, asked: Asked) -> bool:
    pairs = (
        (rule.verbs, asked.verb),
        (rule.resources, asked.resource),
        (rule.namespaces, asked.namespace),
    )
    return all("*" in allowed or wanted in allowed for allowed, wanted in pairs)


def _words(caller: Principal, asked: Asked) -> str:
    subject = f'{qualified(asked.plural)} "{asked.name}"' if asked.name else qualified(asked.plural)
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    return (
        f'{subject} is forbidden: User "{caller.object_id}" cannot {asked.verb} resource '
        f'"{asked.resource}" in API group "{GROUPS.get(asked.plural, "")}" {where}'
    )
