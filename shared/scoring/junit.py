"""Checks of services as JUnit XML, for pipelines: what was not proven never looks green.

A suite for each service: a case for each check, and one for the verdict. Failures are failures;
busy, and a service that answers without anybody knowing the right answer, are *skipped*; slow is
green, and says so. Source of the format: github.com/testmoapp/junitxml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from shared.scoring.evidence import VERDICTS, Evidence, sentence
from shared.scoring.finding import find
from shared.scoring.judgement import FAILURES, Check, Judgement, Proven
from shared.scoring.proof import proven_by

# What XML 1.0 cannot hold (section 2.2); an answer may hold anything.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SUITE = "scoring services"


def is_proven(judgements: Mapping[str, Judgement]) -> bool:
    """Whether every service answers, and right where it is known what is right; of none it is not."""
    found = [proven_by(each.evidence) for each in judgements.values()]
    return bool(found) and Proven.NOTHING not in found


def junit_xml(judgements: Mapping[str, Judgement]) -> bytes:
    """Return the checks of services, by name, as one document in UTF-8."""
    root = Element("testsuites", name=_SUITE)
    for name, judgement in judgements.items():
        root.append(_suite(name, judgement))
    _count(root, root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _suite(name: str, judgement: Judgement) -> Element:
    suite = Element("testsuite", name=_plain(name), timestamp=_time(judgement.at))
    for check in judgement.checks:
        suite.append(_check_case(name, check, judgement))
    suite.append(_verdict_case(name, judgement))
    _count(suite, suite)
    return suite


def _check_case(service: str, check: Check, judgement: Judgement) -> Element:
    case = _case(service, f"{check.kind} {check.name}", check.probe.seconds if check.probe else 0)
    evidence = find(check)
    if evidence is None:
        return case
    # What the verdict overrules must not turn a pipeline red.
    failed = VERDICTS[evidence] in FAILURES and judgement.verdict in FAILURES
    result = SubElement(case, "failure" if failed else "skipped", message=sentence(evidence))
    if failed:
        result.set("type", str(evidence))
    result.text = _plain("\n".join(_details(check)))
    return case


def _verdict_case(service: str, judgement: Judgement) -> Element:
    case, text = _case(service, "verdict", judgement.seconds or 0), _plain(judgement.text)
    if judgement.verdict in FAILURES:
        kind = f"{judgement.verdict}: {judgement.evidence}"
        SubElement(case, "failure", type=kind, message=text)
    elif proven_by(judgement.evidence) is not Proven.RIGHT_ANSWERS:
        SubElement(case, "skipped", message=text)
    elif judgement.evidence != Evidence.GOLDEN_RIGHT:
        SubElement(case, "system-out").text = text
    return case


def _case(service: str, name: str, seconds: float) -> Element:
    return Element("testcase", classname=_plain(service), name=_plain(name), time=f"{seconds:.3f}")


def _details(check: Check) -> Sequence[str]:
    told = check.probe.detail if check.probe else ""
    return [each for each in (check.error_text, *check.mismatches, told) if each]


def _count(element: Element, inside: Element) -> None:
    cases = list(inside.iter("testcase"))
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    element.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("?", text)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
