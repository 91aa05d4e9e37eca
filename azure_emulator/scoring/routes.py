"""Scoring requests, from their URL to the answer."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azure_emulator.estate.scoring import PREFIX, OnlineEndpoint
from azure_emulator.exact_route import ExactRoute
from azure_emulator.scoring.container import Containers
from azure_emulator.scoring.front_end import Azure, FrontEnd, refused

DEPLOYMENT_HEADER = "azureml-model-deployment"


def routes(azure: Azure) -> list[Route]:
    """Make the routes of everything that the estate lets score, for the root of the host."""
    path = f"{PREFIX}/{{guid}}/{{path:path}}"
    return [ExactRoute(path, _Scoring(azure).answer, methods=["GET", "POST"])]


class _Scoring:
    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self._front_end = FrontEnd(azure)
        self._containers = Containers()

    async def answer(self, request: Request) -> Response:
        """GET or POST anything below a service's root."""
        scored = self._azure.estate.scored(request.path_params["guid"])
        if scored is None or not request.url.path.startswith(f"{scored.root}/"):
            return refused(404, "There is no service here.")
        answering = scored.choose(request.headers.get(DEPLOYMENT_HEADER))
        if answering is None:
            return refused(404, "Specified deployment could not be found.")
        refusal = self._front_end.refusal(request, scored, answering)
        if refusal is not None:
            return refusal
        path = request.url.path.removeprefix(scored.root)
        scale = self._azure.estate.clock.scale
        response = await self._containers.answer(request, answering, path=path, scale=scale)
        if isinstance(scored, OnlineEndpoint):
            response.headers[DEPLOYMENT_HEADER] = getattr(answering, "name", "")
        return response
