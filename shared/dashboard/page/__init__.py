"""The page for people on duty: one document without data, which asks the summary for what it shows.

Style and script stand in the page and are allowed by their hashes; nothing else may run, and no text
can become markup (Trusted Types), whatever the summary holds. Sources: CSP Level 3
(https://www.w3.org/TR/CSP3/), https://www.w3.org/TR/trusted-types/.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final

from shared.replies import Reply

MEDIA_TYPE: Final = "text/html"
_FOLDER: Final = Path(__file__).parent


def page() -> Reply:
    """200: the page."""
    return Reply(
        status=HTTPStatus.OK, content_type=MEDIA_TYPE, body=_document(), headers=_headers()
    )


@cache
def _document() -> str:
    shell = _read("page.html")
    return shell.replace("{{style}}", _read("page.css")).replace("{{script}}", _read("page.js"))


@cache
def _headers() -> Mapping[str, str]:
    policy = {
        "default-src": "'none'",
        "style-src": _hash("page.css"),
        "script-src": _hash("page.js"),
        "connect-src": "'self'",
        # The tab's icon is drawn by the page.
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def _hash(name: str) -> str:
    return f"'sha256-{b64encode(sha256(_read(name).encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")
