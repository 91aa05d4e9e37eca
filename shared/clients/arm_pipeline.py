"""The azure-core pipeline under Resource Manager: request id, user agent, sign-in, nothing else.

azure-core's default retry would send a POST again on any 4xx or 5xx that carries Retry-After, and
block for the whole wait; the ARM defaults register providers unasked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    from azure.core import AsyncPipelineClient
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.rest import AsyncHttpResponse, HttpRequest

USER_AGENT = "aml-r-ops"


def open_pipeline(
    endpoint: str, *, credential: AsyncTokenCredential, scope: str
) -> AsyncPipelineClient[HttpRequest, AsyncHttpResponse]:
    """Open a pipeline to one endpoint, through the proxy that the environment names for it."""
    import aiohttp
    from azure.core import AsyncPipelineClient
    from azure.core.pipeline.policies import ProxyPolicy, RequestIdPolicy, UserAgentPolicy
    from azure.core.pipeline.transport import AioHttpTransport
    from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

    # aiohttp itself would ask the environment, and ~/.netrc, twice in a thread for each request,
    # and refuse to send our token where a .netrc has another answer. The pacer bounds what is in
    # flight; a second bound here would hide its effect.
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
    )
    return AsyncPipelineClient(
        endpoint,
        policies=[
            RequestIdPolicy(),
            UserAgentPolicy(USER_AGENT),
            ProxyPolicy(proxies=proxies(endpoint)),
            AsyncARMChallengeAuthenticationPolicy(credential, scope),
        ],
        transport=AioHttpTransport(session=session),
    )


def proxies(endpoint: str) -> dict[str, str]:
    """Return the proxy by scheme, as azure-core wants it: HTTPS_PROXY, unless NO_PROXY has the host."""
    proxy = getproxies().get("https", "")
    host = urlsplit(endpoint).hostname or ""
    return {} if not proxy or proxy_bypass(host) else {"https": proxy}
