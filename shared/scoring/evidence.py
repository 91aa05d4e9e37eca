"""Why a verdict was given: a closed set of words. Each word belongs to exactly one verdict."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from shared.scoring.judgement import Verdict


class Evidence(StrEnum):
    """What was seen of a service, in one word."""

    GOLDEN_RIGHT = "golden_right"
    ANSWERS_ONLY = "answers_only"
    OVER_BUDGET = "over_budget"
    ROUTE_TIMED_OUT = "route_timed_out"
    TIMED_OUT = "timed_out"
    GOLDEN_TIMED_OUT = "golden_timed_out"
    GATEWAY_TIMED_OUT = "gateway_timed_out"
    OVERLOADED = "overloaded"
    GOLDEN_DIFFERS = "golden_differs"
    ERROR_IN_ANSWER = "error_in_answer"
    ERROR_STATUS = "error_status"
    REQUEST_REFUSED = "request_refused"
    ROUTE_DIFFERS = "route_differs"
    TOO_LARGE = "too_large"
    KEY_REFUSED = "key_refused"
    FORBIDDEN = "forbidden"
    CERTIFICATE_INVALID = "certificate_invalid"
    CERTIFICATE_ENDS_SOON = "certificate_ends_soon"
    NAME_UNKNOWN = "name_unknown"
    NOT_SENT = "not_sent"
    SOURCE_UNAVAILABLE = "source_unavailable"
    REDIRECTED = "redirected"
    ROUTE_ABSENT = "route_absent"
    NOT_HTTP = "not_http"
    NO_CHECK = "no_check"
    GOLDEN_NOT_ASKED = "golden_not_asked"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMED_OUT = "connect_timed_out"
    TLS_FAILED = "tls_failed"
    CUT = "cut"
    ERROR_EVERYWHERE = "error_everywhere"
    NO_REPLICAS = "no_replicas"
    NOT_RUNNING = "not_running"
    AZURE_UNHEALTHY = "azure_unhealthy"
    HUNG = "hung"


# The sentences of a verdict's text; docs/scoring-verdicts.md shows the same table.
SENTENCES: Mapping[Verdict, Mapping[Evidence, str]] = {
    Verdict.HEALTHY: {
        Evidence.GOLDEN_RIGHT: "Every golden request was answered right, in time.",
        Evidence.ANSWERS_ONLY: "It answers; no golden request says whether its answers are right.",
    },
    Verdict.SLOW: {
        Evidence.OVER_BUDGET: "The golden answers are right, but over the latency budget.",
        Evidence.ROUTE_TIMED_OUT: "The golden answers are right, but a cheap route timed out.",
    },
    Verdict.BUSY: {
        Evidence.TIMED_OUT: "It accepts connections, but answers nothing in time.",
        Evidence.GOLDEN_TIMED_OUT: "Its cheap route answers, but a golden request timed out.",
        Evidence.GATEWAY_TIMED_OUT: "What stands in front of it waited in vain for its answer.",
        Evidence.OVERLOADED: "It, or what stands in front of it, says that it is overloaded.",
    },
    Verdict.WRONG: {
        Evidence.GOLDEN_DIFFERS: "It answers a golden request, but not with the golden answer.",
        Evidence.ERROR_IN_ANSWER: "Its answer says success and holds an error.",
        Evidence.ERROR_STATUS: "It is there, but answers a request of the checks with an error.",
        Evidence.REQUEST_REFUSED: "It is there, but refuses a request of the checks.",
        Evidence.ROUTE_DIFFERS: "A cheap route answers otherwise than declared.",
        Evidence.TOO_LARGE: "Its answer is larger than allowed; the rest was not read.",
    },
    Verdict.UNAUTHORISED: {
        Evidence.KEY_REFUSED: "It does not accept the credential, or wants one (401).",
        Evidence.FORBIDDEN: "It knows the credential, but allows it nothing (403).",
    },
    Verdict.CERTIFICATE: {
        Evidence.CERTIFICATE_INVALID: "Its TLS certificate is not valid for it.",
        Evidence.CERTIFICATE_ENDS_SOON: "All else is well, but its TLS certificate ends soon.",
    },
    Verdict.MISCONFIGURED: {
        Evidence.NAME_UNKNOWN: "DNS gives no address for its host.",
        Evidence.NOT_SENT: "Its address or its credential cannot be had, so nothing was sent.",
        Evidence.SOURCE_UNAVAILABLE: "What knows its key or address cannot be asked, so nothing was sent.",
        Evidence.REDIRECTED: "It redirects; redirects are not followed.",
        Evidence.ROUTE_ABSENT: "It answers, but does not have a route that is declared for it.",
        Evidence.NOT_HTTP: "What listens there does not speak HTTP.",
        Evidence.NO_CHECK: "Nothing is declared to check it by.",
        Evidence.GOLDEN_NOT_ASKED: "A golden request that is declared was not sent.",
    },
    Verdict.DOWN: {
        Evidence.REFUSED: "Nothing accepts connections at its address.",
        Evidence.UNREACHABLE: "Its host cannot be reached.",
        Evidence.CONNECT_TIMED_OUT: "No connection came about in time.",
        Evidence.TLS_FAILED: "The TLS handshake failed.",
        Evidence.CUT: "The connection was cut before there was an answer.",
        Evidence.ERROR_EVERYWHERE: "It answers whatever is asked with a server error.",
        Evidence.NO_REPLICAS: "What stands in front of it says that no replica is ready.",
        Evidence.NOT_RUNNING: "It answers nothing, and its platform says that it does not run.",
        Evidence.AZURE_UNHEALTHY: "It answers, but Azure calls it Failed, Unhealthy or Unschedulable.",
        Evidence.HUNG: "It has been busy for longer than it may.",
    },
}
VERDICTS: Mapping[Evidence, Verdict] = {
    evidence: verdict for verdict, sentences in SENTENCES.items() for evidence in sentences
}


def sentence(evidence: Evidence) -> str:
    """Return what an evidence means, in a sentence."""
    return SENTENCES[VERDICTS[evidence]][evidence]
