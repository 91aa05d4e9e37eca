"""Valid scoring services; a test names only what matters to it."""

from typing import Any

from shared.scoring.examination import Subject
from shared.scoring.presets import service_checks
from shared.scoring.service import Service

GOLDEN = {
    "name": "138",
    "path": "/weight",
    "query": {"height": 138},
    "expect": [{"at": "$.response", "equals": 161.8533, "absolute": 5e-5}],
}
RIGHT = b'{"response":[161.8533]}'
WRONG = b'{"response":[161.1]}'


def a_subject(
    name: str = "weight", *, url: str | None = None, problem: str = "", **changes: Any
) -> Subject:
    """A plumber service with one golden request, at an origin of its own; `checks` are merged."""
    address = f"http://{name}.test" if url is None else url
    checks = {"live": {"path": "/live"}, "golden": [GOLDEN], **changes.pop("checks", {})}
    document = {"name": name, "kind": "http", "url": address, "checks": checks, **changes}
    service = Service.model_validate(document)
    return Subject(service=service, rules=service_checks(service), url=address, problem=problem)
