"""Everything but Resource Manager: Entra ID, Key Vault, managed identity, ingestion, discovery."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Router
from starlette.types import Message, Receive, Scope, Send

from azure_emulator.answers import Answer
from azure_emulator.faults import Exchange, Faults, carry_out
from azure_emulator.recorder import Record


class Services:
    """The routes of the other services, with faults around them; the caller opens the records."""

    def __init__(self, routes: Sequence[BaseRoute], faults: Faults) -> None:
        self._router = Router(routes, redirect_slashes=False, default=unknown_route)
        self._faults = faults

    async def serve(self, scope: Scope, receive: Receive, send: Send, *, record: Record) -> None:
        async def noting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
            await send(message)

        effect = self._faults.strike(record)
        if effect is None:
            await self._router(scope, receive, noting_send)
        else:
            body = await Request(scope, receive).body()
            exchange = Exchange(scope=scope, receive=receive, send=noting_send)
            answer = await carry_out(effect, exchange, lambda: self._capture(scope, body))
            if answer is not None:
                await answer.send(noting_send)
        state = scope.get("state", {})
        record.principal, record.action = state.get("principal"), state.get("action")

    async def _capture(self, scope: Scope, body: bytes) -> Answer:
        """The answer as it would have been, held back."""
        messages: list[Message] = []

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._router(scope, replay, keep)
        start, *parts = messages
        headers = tuple(h for h in start["headers"] if h[0] != b"content-length")
        content = b"".join(part.get("body", b"") for part in parts)
        return Answer(status=start["status"], body=content, headers=headers)


async def unknown_route(scope: Scope, receive: Receive, send: Send) -> None:
    """501 that names the route, so that a gap of the emulator is never taken for Azure's 404."""
    message = f"The emulator has no route {scope['method']} {scope['path']}"
    response = JSONResponse(
        {"error": {"code": "NotImplemented", "message": message}}, status_code=501
    )
    await response(scope, receive, send)
