"""Lists in pages: `{"value": [...], "nextLink"?}`; the token in the link is opaque."""

import base64
import binascii
from collections.abc import Sequence
from urllib.parse import quote, urlencode

from azure_emulator.answers import JSON_TYPE, Answer, AzureError
from azure_emulator.arm.call import Call

_PREFIX = "from:"


def page(call: Call, items: Sequence[bytes], *, parameter: str = "$skipToken") -> Answer:
    """Answer the page that the call asks for, from items that are JSON already.

    `nextLink` repeats the caller's query with a token; Azure ML calls the token `$skip`, Resource
    Manager `$skipToken`. Raises AzureError 400 for a token that was never handed out.
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
    # Azure ignores the case of parameter names.
    token = next((v for k, v in query.items() if k.lower() == parameter.lower()), None)
    if token is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
        return int(text.removeprefix(_PREFIX))
    except (ValueError, binascii.Error):
        message = f"The value of {parameter} is not a token of this list."
        raise AzureError(400, "InvalidSkipToken", message) from None


def _link(call: Call, parameter: str, position: int) -> str:
    kept = {k: v for k, v in call.query.items() if k.lower() != parameter.lower()}
    token = base64.urlsafe_b64encode(f"{_PREFIX}{position}".encode()).decode()
    query = urlencode({**kept, parameter: token}, quote_via=quote, safe="$")
    return f"{call.settings.base_url}{quote(call.path)}?{query}"
