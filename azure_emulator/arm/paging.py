"""Lists in pages: `{"value": [...], "nextLink"?}`; the token in the link is opaque."""

import base64
import binascii
import re
from collections.abc import Sequence
from urllib.parse import quote, urlencode

from azure_emulator.answers import JSON_TYPE, Answer, AzureError
from azure_emulator.arm.call import Call

_TOKEN = re.compile(r"from:(\d{1,9})")


def page(call: Call, items: Sequence[bytes], *, parameter: str = "$skiptoken") -> Answer:
    """Answer the page that the call asks for, from items that are JSON already.

    `nextLink` repeats the caller's query with a token; Azure ML calls the token `$skip`, Resource
    Manager `$skiptoken`. Raises AzureError 400 for a token that was never handed out.
    """
    start = _position(call.query, parameter)
    end = start + call.settings.page_size
    link = b""
    # The last page has no nextLink; azureml-core would follow one that is null.
    if end < len(items):
        link = b',"nextLink":"%s"' % _link(call, parameter, end).encode()
    body = b'{"value":[%s]%s}' % (b",".join(items[start:end]), link)
    return Answer(body=body, headers=(JSON_TYPE,))


def _position(query: dict[str, str], parameter: str) -> int:
    token = query.get(parameter)
    if token is None:
        return 0
    match = _TOKEN.fullmatch(_decoded(token))
    if match is None:
        message = f"The value of {parameter} is not a token of this list."
        raise AzureError(400, "InvalidSkipToken", message)
    return int(match[1])


def _decoded(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (ValueError, binascii.Error):
        return ""


def _link(call: Call, parameter: str, position: int) -> str:
    token = base64.urlsafe_b64encode(f"from:{position}".encode()).decode()
    query = urlencode({**call.query, parameter: token}, quote_via=quote, safe="$")
    return f"{call.settings.base_url}{quote(call.path)}?{query}"
