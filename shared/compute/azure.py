"""What a run needs from Azure: the port, and the values that pass through it.

`shared.clients.machine_learning` provides it; `tests/support` has a fake that passes the same suite.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from shared.compute.cluster_care import ClusterAzure
from shared.compute.instance import Compute, Workspace


class AnswerKind(StrEnum):
    """How Azure answered a request to stop."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    CONFLICT = "conflict"
    GONE = "gone"
    UNCLEAR = "unclear"
    NOT_SENT = "not_sent"
    CLAIMED = "claimed"


@dataclass(frozen=True, kw_only=True)
class StopAnswer:
    """The answer to one stop request.

    `at` is Azure's own clock where it said so, else ours. `operation` is an opaque, signed URL:
    kept out of every text; `ends_by_status`: it ends with the stop's own status, an error among
    them, and not with a document. UNCLEAR: whether Azure got the request is not known.
    CLAIMED: not sent, because another run asked. `retry_after`: Azure wants no other one before.
    """

    kind: AnswerKind
    at: datetime
    code: str = ""
    message: str = ""
    operation: str = field(default="", repr=False)
    retry_after: timedelta = timedelta(0)
    ends_by_status: bool = False


@dataclass(frozen=True, kw_only=True)
class OperationState:
    """A long-running operation: `InProgress`, `Succeeded`, `Failed`, `Canceled`, and its error."""

    status: str
    code: str = ""
    message: str = ""

    @property
    def failed(self) -> bool:
        """Whether Azure gave up on it."""
        return self.status in {"Failed", "Canceled"}


@dataclass(frozen=True, kw_only=True)
class Price:
    """Estimated retail price of a running Linux machine, per hour."""

    per_hour: float
    currency: str


class MachineLearning(ClusterAzure, Protocol):
    """Azure Machine Learning as one principal sees it.

    Every method raises `AzureRequestError` or `CredentialError`; only `begin_stop` turns what Azure
    answers into a value. `deadline` is when to give up retrying and waiting.
    """

    async def list_subscriptions(self, *, deadline: datetime) -> Sequence[str]:
        """GUIDs of the subscriptions the principal can see."""

    async def list_workspaces(
        self, subscription_id: str, *, deadline: datetime
    ) -> Sequence[Workspace]:
        """Every workspace of a subscription."""

    async def list_computes(self, workspace: Workspace, *, deadline: datetime) -> Sequence[Compute]:
        """Every compute of a workspace, of every kind, with its state."""

    async def get_compute(self, compute: Compute, *, deadline: datetime) -> Compute:
        """One compute as it is now; AzureRequestError of status 404 if it does not exist."""

    async def list_prices(
        self, subscription_id: str, location: str, *, deadline: datetime
    ) -> Mapping[str, Price]:
        """Prices by lower-cased VM size."""

    async def begin_stop(self, compute: Compute, *, deadline: datetime) -> StopAnswer:
        """Ask once for a stop. Returns before the machine is off."""

    async def get_operation(self, answer: StopAnswer, *, deadline: datetime) -> OperationState:
        """The operation behind an accepted stop."""
