"""What a probe says of TLS: when a certificate ends, and why a handshake failed."""

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from shared.scoring.probe import Contact
from tests.support.odd_server import http
from tests.support.probing import hang, now, probe, saying
from tests.support.tcp_services import listening


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """A certificate authority that the whole process trusts, as OpenSSL's variable says."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return made


def tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def test_tls_tells_when_the_certificate_ends(authority: trustme.CA) -> None:
    ends = (now() + timedelta(days=30)).replace(microsecond=0)
    certificate = authority.issue_cert("127.0.0.1", not_after=ends)

    async with listening(saying(http("Healthy")), tls=tls(certificate)) as url:
        found = await probe(url)

    assert (found.contact, found.status, found.body) == (Contact.ANSWERED, 200, b"Healthy")
    assert found.certificate_ends == ends


async def test_plain_http_has_no_certificate() -> None:
    async with listening(saying(http("Healthy"))) as url:
        found = await probe(url)

    assert (found.contact, found.certificate_ends) == (Contact.ANSWERED, None)


async def test_an_expired_certificate_is_told_as_such(authority: trustme.CA) -> None:
    yesterday = now() - timedelta(days=1)
    certificate = authority.issue_cert("127.0.0.1", not_after=yesterday)

    async with listening(saying(http("Healthy")), tls=tls(certificate)) as url:
        found = await probe(url)

    assert found.contact is Contact.CERTIFICATE_INVALID
    assert "expired" in found.detail
    assert found.connect_seconds is not None


async def test_the_certificate_of_another_host_is_refused(authority: trustme.CA) -> None:
    certificate = authority.issue_cert("other.example")

    async with listening(saying(http("Healthy")), tls=tls(certificate)) as url:
        found = await probe(url)

    assert found.contact is Contact.CERTIFICATE_INVALID
    assert "mismatch" in found.detail


async def test_a_certificate_of_an_unknown_authority_is_refused(authority: trustme.CA) -> None:
    del authority
    stranger = trustme.CA().issue_cert("127.0.0.1")

    async with listening(saying(http("Healthy")), tls=tls(stranger)) as url:
        found = await probe(url)

    assert found.contact is Contact.CERTIFICATE_INVALID
    assert "issuer" in found.detail


async def test_tls_where_plain_http_is_spoken_fails_as_tls() -> None:
    async with listening(saying(http("Healthy"))) as url:
        found = await probe(url.replace("http:", "https:"), seconds=0.5)

    # The server waits for the end of a line that a handshake may not have.
    assert found.contact in {Contact.TLS_FAILED, Contact.TIMED_OUT}
    assert found.connect_seconds is not None


async def test_bytes_that_are_no_tls_fail_as_tls() -> None:
    async def garbage(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with listening(garbage) as url:
        found = await probe(url.replace("http:", "https:"))

    assert found.contact is Contact.TLS_FAILED
    assert "wrong version number" in found.detail


async def test_a_handshake_that_is_cut_fails_as_tls() -> None:
    async def cut(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with listening(cut) as url:
        found = await probe(url.replace("http:", "https:"))

    assert found.contact is Contact.TLS_FAILED
    assert "TLS handshake" in found.detail


async def test_a_handshake_that_hangs_was_connected_and_timed_out() -> None:
    async with listening(hang) as url:
        found = await probe(url.replace("http:", "https:"), seconds=0.3)

    assert found.contact is Contact.TIMED_OUT
    assert found.connect_seconds is not None
    assert "TLS handshake" in found.detail
