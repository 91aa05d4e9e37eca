"""Keys that a service repeats in its answer: an echo or an error page may, and no report may show it.

What a service answers is told to people, in texts of what differs. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote

from shared.scoring.probe import Probe

INSTEAD = b"<key>"


def without_keys(probe: Probe, sent: Mapping[str, str]) -> Probe:
    """Return the probe with every header's value that was sent to sign in blotted out of its body.

    Also where the answer writes it as JSON or a URL does, and without the scheme in front of it.
    """
    body = probe.body
    for written in sorted(_ways_to_write(sent), key=len, reverse=True):
        body = body.replace(written, INSTEAD)
    return replace(probe, body=body)


def _ways_to_write(sent: Mapping[str, str]) -> Iterator[bytes]:
    for value in sent.values():
        for secret in filter(None, (value, value.partition(" ")[2])):
            as_json = json.dumps(secret)[1:-1]
            for text in (secret, as_json, as_json.replace("/", "\\/"), quote(secret, safe="")):
                yield text.encode()
