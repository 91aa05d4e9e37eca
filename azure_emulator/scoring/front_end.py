"""The front end of scoring: who may ask, and what it says in place of the container.

Source: learn.microsoft.com/azure/machine-learning/concept-endpoints-online-auth (v2) and azureml-core
1.61, AksWebservice.run (v1): `Authorization: Bearer`, a key or a token. A 503 is worded as in issue
1004 of Azure/MachineLearningNotebooks.
"""

from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from azure_emulator.arm.grants import Grants
from azure_emulator.entra import Directory, Principal, TokenError
from azure_emulator.estate.estate import Answerer, Estate
from azure_emulator.estate.scoring import OnlineEndpoint, SignIn
from azure_emulator.scoring_seed import Answering

ENTRA_AUDIENCES = frozenset({"https://ml.azure.com"})
SCORE = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/score/action"


class Azure(Protocol):
    """What is asked about the rest of the emulator."""

    @property
    def estate(self) -> Estate: ...
    @property
    def grants(self) -> Grants: ...
    @property
    def directory(self) -> Directory: ...


class FrontEnd:
    """Tells a stranger from a caller."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure

    def refusal(self, request: Request, scored: Answerer, answering: Answering) -> Response | None:
        """The front end's own answer; None: the container answers."""
        behaviour = answering.behaviour
        if behaviour.refuses_credentials:
            return _unauthorized()
        if scored.sign_in is SignIn.ENTRA_TOKEN:
            refusal = self._refusal_of_entras(request, scored)
        else:
            refusal = None if self._shows_the_right(request, scored) else _unauthorized()
        if refusal is None and behaviour.no_replicas:
            return refused(503, f"No ready replicas for service {scored.id.rpartition('/')[2]}")
        return refusal

    def _shows_the_right(self, request: Request, scored: Answerer) -> bool:
        """Whether it is this service's own key or token."""
        if scored.sign_in is SignIn.NONE:
            return True
        shown = _bearer(request)
        if scored.sign_in is SignIn.KEY:
            return scored.credentials.has_key(shown)
        return scored.credentials.has_token(shown, now=self._azure.estate.clock.now())

    def _refusal_of_entras(self, request: Request, scored: Answerer) -> Response | None:
        caller = self._caller(request)
        if caller is None:
            return _unauthorized()
        request.state.principal, request.state.action = caller.object_id, SCORE
        # A Kubernetes endpoint asks for no role, says the documentation.
        needs_role = isinstance(scored, OnlineEndpoint) and scored.seed.compute is None
        if needs_role and not self._azure.grants.allow(caller, action=SCORE, scope=scored.id):
            return refused(403, f"The action {SCORE} is not granted.")
        return None

    def _caller(self, request: Request) -> Principal | None:
        try:
            return self._azure.directory.verify(_bearer(request), audiences=ENTRA_AUDIENCES)
        except TokenError:
            return None


def refused(status: int, message: str) -> Response:
    return PlainTextResponse(message, status_code=status)


def _unauthorized() -> Response:
    return refused(401, "The key or token is missing, wrong or expired.")


def _bearer(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""
