"""Azure's metadata service, as far as it speaks for the hardware: VCEK and TD quote.

It answers on a link-local address, by plain HTTP, to this VM alone. Nothing that it says is
believed: certificates and quote are verified with the evidence.

Source: Microsoft, "Azure Instance Metadata Service" (THIM); "Azure confidential VMs guest
attestation design" (TD quote).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from cryptography import x509

from wasmtime_attestation.endorsements import amd
from wasmtime_attestation.endorsements.x509 import UNREADABLE, der
from wasmtime_attestation.endorsers.http import Answer, HttpClient, Limits
from wasmtime_attestation.errors import RejectedError, UnavailableError
from wasmtime_attestation.evidence import snp, strict_json
from wasmtime_attestation.evidence.azure import MAX_TD_QUOTE
from wasmtime_attestation.evidence.envelope import EndorsementType, RawEndorsement
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.evidence.td_report import TD_REPORT_SIZE

HOST = "169.254.169.254"
CERTIFICATION = f"http://{HOST}/metadata/THIM/amd/certification"
TD_QUOTE = f"http://{HOST}/acc/tdquote"

_MAX_ANSWER = 2 * MAX_TD_QUOTE
_MAX_CERTIFICATES = 8
_OK = 200
_SECONDS = 10.0
_METADATA = {"Metadata": "true"}
# With a charset, or any other parameter, it answers 415.
_JSON = {"Content-Type": "application/json"}
# Answers that asking again does not change; the others are the client's to explain.
_MEANINGS = {
    400: "it does not take the question; on TDX, that the TDREPORT is not of this machine",
    404: "it has no such service: this size of VM is not confidential, or the region lacks it",
    410: "it moves to another host just now; try again in a minute",
    415: "it does not take the content type",
    500: "it failed; try again, and ask Azure's support if that does not help",
}


def vcek(report: bytes) -> tuple[RawEndorsement, ...]:
    """Asks for the VCEK and its chain.

    Args:
        report: the SEV-SNP report that it must be for.

    Returns:
        VCEK, ASK and ARK.

    Raises:
        UnavailableError: it was not reached, has none, or one of another chip or TCB.
    """
    answer = _accepted(_client().get(CERTIFICATION, _METADATA, (_OK, *_MEANINGS)))
    try:
        certificates = decode_certification(answer.body, report)
    except ValueError as error:
        raise UnavailableError(f"{CERTIFICATION} gave no VCEK for this report: {error}") from error
    return tuple(RawEndorsement(EndorsementType.CERTIFICATE, der(c)) for c in certificates)


def td_quote(td_report: bytes) -> bytes:
    """Asks for a TD quote.

    Args:
        td_report: the TDREPORT, 1024 bytes.

    Raises:
        UnavailableError: it was not reached, or did not make one.
    """
    if len(td_report) != TD_REPORT_SIZE:
        raise ValueError(f"a TDREPORT has {TD_REPORT_SIZE} bytes, not {len(td_report)}")
    report = base64.urlsafe_b64encode(td_report).rstrip(b"=").decode("ascii")
    body = json.dumps({"report": report}).encode("ascii")
    answer = _accepted(_client().post(TD_QUOTE, body, _JSON, (_OK, *_MEANINGS)))
    try:
        return decode_quote(answer.body)
    except ValueError as error:
        raise UnavailableError(f"{TD_QUOTE} gave no TD quote: {error}") from error


def decode_certification(body: bytes, report: bytes) -> tuple[x509.Certificate, ...]:
    """Reads VCEK, ASK and ARK.

    Args:
        body: what the service answered.
        report: the SEV-SNP report that the VCEK must be for.

    Raises:
        ValueError: they are not there, or of another chip or TCB.
    """
    members = _members(body)
    text = "\n".join(_text(members, name) for name in ("vcekCert", "certificateChain"))
    try:
        found = tuple(x509.load_pem_x509_certificates(text.encode("ascii")))
        _check_fits(found[0], report)
    except UNREADABLE as error:
        raise ValueError(str(error)) from error
    if len(found) > _MAX_CERTIFICATES:
        raise ValueError(f"it answered {len(found)} certificates; {_MAX_CERTIFICATES} is the most")
    return found


def decode_quote(body: bytes) -> bytes:
    """Reads a TD quote, in either base64.

    Args:
        body: what the service answered.

    Raises:
        ValueError: there is none, or it is too large.
    """
    quote = _base64(_text(_members(body), "quote"))
    if not 0 < len(quote) <= MAX_TD_QUOTE:
        raise ValueError(f"it has {len(quote)} bytes; 1 to {MAX_TD_QUOTE} are possible")
    return quote


def _client() -> HttpClient:
    limits = Limits(size=_MAX_ANSWER, seconds=_SECONDS, redirects=0)
    return HttpClient(limits, hosts=frozenset({HOST}), proxies=False, plain=True)


def _accepted(answer: Answer) -> Answer:
    if answer.status == _OK:
        return answer
    said = strict_json.brief(answer.body[:100].decode("ascii", "replace"))
    raise UnavailableError(
        f"{answer.url} answered HTTP {answer.status} ({said}): {_MEANINGS[answer.status]}"
    )


def _members(body: bytes) -> Mapping[str, Json]:
    value = strict_json.loads(body, floats=True)
    if not isinstance(value, dict):
        raise ValueError("it answered no JSON object")
    return value


def _text(members: Mapping[str, Json], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise ValueError(f"it answered without {name}")
    return value


def _check_fits(certificate: x509.Certificate, report: bytes) -> None:
    """After an update or a move to another host it may lag behind; then AMD has the right one."""
    key = amd.decode(certificate)
    try:
        made = snp.decode(report)
    except RejectedError as error:
        raise ValueError(f"the report cannot be read: {error}") from error
    if key.hwid is None or key.hwid.ljust(len(made.chip_id), b"\0") != made.chip_id:
        raise ValueError("it answered one of another chip")
    if key.tcb != made.reported_tcb:
        raise ValueError(f"it answered one of TCB {key.tcb}, the report is of {made.reported_tcb}")


def _base64(text: str) -> bytes:
    """Decodes base64 or base64url, padded or not: versions of the service differ."""
    canonical = text.rstrip("=").translate(str.maketrans("+/", "-_"))
    try:
        return base64.b64decode(
            canonical + "=" * (-len(canonical) % 4), altchars=b"-_", validate=True
        )
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"the quote is no base64: {error}") from error
