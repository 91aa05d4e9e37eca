"""Lists in pages: `{"value": [...], "nextLink"?}`; the token in the link is opaque."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote, urlencode

from azure_emulator.answers import JSON_TYPE, Answer, AzureError
from azure_emulator.arm.call import Call

Item = TypeVar("Item")
_TOKEN = re.compile(r"from:(\d{1,9})", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


def page(
    call: Call,
    items: Sequence[Item],
    *,
    encode: Callable[[Item], bytes],
    parameter: str = "$skiptoken",
) -> Answer:
    """Answer the page that the call asks for; `encode` writes an item as JSON.

    `nextLink` repeats the caller's query with a token; Azure ML calls the token `$skip`, Resource
    Manager `$skiptoken`. A plain number is a position, as in the specification's examples. Raises
    AzureError 400 for what is no token.
    """
    start = _position(call.query, parameter)
    end = start + call.settings.page_size
    link = b""
    # The last page has no nextLink; azureml-core would follow one that is null.
    if end < len(items):
        link = b',"nextLink":"%s"' % _link(call, parameter, end).encode()
    body = b'{"value":[%s]%s}' % (b",".join(map(encode, items[start:end])), link)
    return Answer(body=body, headers=(JSON_TYPE,))


def _position(query: dict[str, str], parameter: str) -> int:
    token = query.get(parameter.lower())
    if token is None:
        return 0
    if _NUMBER.fullmatch(token):
        return int(token)
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
    others = {name: value for name, value in call.query.items() if name != parameter.lower()}
    query = urlencode({**others, parameter: token}, quote_via=quote, safe="$")
    return f"{call.settings.base_url}{quote(call.path)}?{query}"
