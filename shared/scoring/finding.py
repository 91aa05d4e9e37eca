"""What one check found, by itself: as expected, or the word for what was seen instead. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from shared.scoring.answer import front_end_says
from shared.scoring.evidence import Evidence
from shared.scoring.judgement import Check, CheckKind
from shared.scoring.probe import Contact, Probe

_CONTACTS: Mapping[Contact, Evidence] = {
    Contact.UNRESOLVED: Evidence.NAME_UNKNOWN,
    Contact.REFUSED: Evidence.REFUSED,
    Contact.UNREACHABLE: Evidence.UNREACHABLE,
    Contact.CONNECT_TIMED_OUT: Evidence.CONNECT_TIMED_OUT,
    Contact.TLS_FAILED: Evidence.TLS_FAILED,
    Contact.CERTIFICATE_INVALID: Evidence.CERTIFICATE_INVALID,
    Contact.TIMED_OUT: Evidence.TIMED_OUT,
    Contact.CUT: Evidence.CUT,
    Contact.MALFORMED: Evidence.NOT_HTTP,
    Contact.TOO_LARGE: Evidence.TOO_LARGE,
}
_STATUSES: Mapping[int, Evidence] = {
    HTTPStatus.UNAUTHORIZED: Evidence.KEY_REFUSED,
    HTTPStatus.FORBIDDEN: Evidence.FORBIDDEN,
    HTTPStatus.NOT_FOUND: Evidence.ROUTE_ABSENT,
    HTTPStatus.METHOD_NOT_ALLOWED: Evidence.ROUTE_ABSENT,
    HTTPStatus.GONE: Evidence.ROUTE_ABSENT,
    HTTPStatus.REQUEST_TIMEOUT: Evidence.GATEWAY_TIMED_OUT,
    HTTPStatus.GATEWAY_TIMEOUT: Evidence.GATEWAY_TIMED_OUT,
    HTTPStatus.TOO_MANY_REQUESTS: Evidence.OVERLOADED,
}
_OK, _REDIRECT, _REFUSED, _FAILED = 200, 300, 400, 500


def find(check: Check) -> Evidence | None:
    """Return what is amiss with one check, None where all is as declared."""
    if check.probe is None:
        return Evidence.SOURCE_UNAVAILABLE if check.unavailable else Evidence.NOT_SENT
    if check.probe.contact is not Contact.ANSWERED:
        return _CONTACTS[check.probe.contact]
    if check.kind is not CheckKind.GOLDEN and not check.mismatches and not check.error_text:
        return None  # as declared, whatever its status: a route may be declared to answer 302
    return _by_status(check.probe) or _by_content(check)


def _by_status(probe: Probe) -> Evidence | None:
    status = probe.status or 0
    # Nobody asked whether it was modified: that is an answer without content, and leads nowhere.
    if _OK <= status < _REDIRECT or status == HTTPStatus.NOT_MODIFIED:
        return None
    if status in _STATUSES:
        return _STATUSES[status]
    if status >= _FAILED:
        return front_end_says(probe.body) or Evidence.ERROR_STATUS
    return Evidence.REQUEST_REFUSED if status >= _REFUSED else Evidence.REDIRECTED


def _by_content(check: Check) -> Evidence | None:
    if check.error_text:
        return Evidence.ERROR_IN_ANSWER
    if not check.mismatches:
        return None
    golden = check.kind is CheckKind.GOLDEN
    return Evidence.GOLDEN_DIFFERS if golden else Evidence.ROUTE_DIFFERS
