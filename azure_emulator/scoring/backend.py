"""A container that is a real program on this host: requests are passed on, answers are passed back."""

import aiohttp
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_SECONDS = 60
# What the program is to know of the caller; the credential stays with the front end.
_PASSED_ON = ("content-type", "accept")


async def answer(request: Request, root: str, *, path: str, body: bytes) -> Response:
    """Return what the program answers below its root; 502 where nobody does."""
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    url = f"{root.rstrip('/')}{path}"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session,
            session.request(
                request.method,
                url,
                params=request.query_params.multi_items(),
                data=body or None,
                headers=headers,
            ) as reply,
        ):
            content, kind = await reply.read(), reply.headers.get("content-type")
            return Response(content, status_code=reply.status, media_type=kind)
    except (aiohttp.ClientError, TimeoutError):
        return PlainTextResponse("Replica closed connection before replying", status_code=502)
