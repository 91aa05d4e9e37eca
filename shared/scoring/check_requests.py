"""Answer requests to check a service now: one look, for a person or a pipeline.

It counts for no round: a state comes from rounds alone, so that nobody can alarm or calm anybody
by asking often.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from shared.replies import Reply, json_reply
from shared.scoring.attempts import Examiner
from shared.scoring.examination import Subject
from shared.scoring.judgement import Judgement
from shared.scoring.judgement_report import judgement_of
from shared.scoring.junit import is_proven, junit_xml

XML: Final = "application/xml"
_XML_TYPES: Final = frozenset({"application/xml", "text/xml", "application/junit+xml"})
# RFC 4918, 11.4: what was asked for depends on something that failed. Not 5xx: this app did its work.
NOT_PROVEN: Final = HTTPStatus.FAILED_DEPENDENCY


@dataclass(frozen=True, kw_only=True)
class CheckRequests:
    """Checks on demand."""

    examiner: Examiner

    async def check(self, subject: Subject, headers: Mapping[str, str]) -> Reply:
        """200 where the service answers, and right as far as that is known; 424 otherwise.

        `proven` says which: without golden requests 200 means no more than that it answers.
        The same document either way: JSON, or JUnit XML where `Accept` asks for XML.
        """
        name = subject.service.name
        # A crowd before a service that hangs must not keep its round waiting.
        async with self.examiner.turns.on_demand(name):
            (judgement,) = await self.examiner.judge(subject, repeats=0)
        status = HTTPStatus.OK if is_proven({name: judgement}) else NOT_PROVEN
        if wants_xml(headers):
            return _junit(name, judgement, status)
        return json_reply(judgement_of(name, judgement).model_dump_json(), status=status)


def wants_xml(headers: Mapping[str, str]) -> bool:
    """Whether `Accept` names XML before JSON (RFC 9110, 12.5.1; weights are not read)."""
    given = [value for name, value in headers.items() if name.lower() == "accept"]
    types = [part.partition(";")[0].strip().lower() for value in given for part in value.split(",")]
    known = [each for each in types if each in _XML_TYPES or each == "application/json"]
    return bool(known) and known[0] in _XML_TYPES


def _junit(name: str, judgement: Judgement, status: HTTPStatus) -> Reply:
    document = junit_xml({name: judgement}).decode()
    return Reply(status=status, content_type=XML, body=document)
