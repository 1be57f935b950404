"""How the outcome of `verify` looks: JSON for programs (DESIGN section 7), text for people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from wasmtime_attestation.checks import Check
from wasmtime_attestation.claims.form import to_json
from wasmtime_attestation.cli.explain import check_lines, finding_lines, members
from wasmtime_attestation.cli.terminal import printable
from wasmtime_attestation.embedding.report import Report
from wasmtime_attestation.errors import PolicyError
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.wit import Status

SCHEMA = 1
_SPACES = re.compile(" {2,}")
_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")
_WORDS = frozenset({"", "-", "yes", "no"})


def remarks(report: Report) -> Iterator[str]:
    """Returns what people must not miss, for standard error."""
    if report.simulated:
        yield "SIMULATED: this evidence ends at a root given by --trust, not at a vendor's"
    if report.error is not None:
        yield f"{report.error.case}: {report.error.message}"


def as_json_text(report: Report, *, explain: bool = False) -> dict[str, Json]:
    """Returns the report in its public JSON form; `explain` adds what each check is about."""
    return {
        "schema": SCHEMA,
        "outcome": report.outcome,
        "input": {
            "name": report.name,
            "kind": report.kind,
            "size": report.size,
            "sha256": report.sha256,
            "verified_at": to_json(report.at),
        },
        "checks": [_check(check, explain=explain) for check in report.checks],
        "claims": report.claims,
        "appraisal": _appraisal(report, explain=explain),
    }


def _check(check: Check, *, explain: bool) -> Json:
    piece: dict[str, Json] = {} if check.evidence is None else {"evidence": check.evidence}
    return {
        "id": check.id,
        "outcome": check.outcome,
        "detail": check.detail,
        **piece,
        **members(check.id, explain=explain),
    }


def _appraisal(report: Report, *, explain: bool) -> Json:
    if isinstance(report.error, PolicyError):
        status, findings = Status.CONTRAINDICATED, report.error.findings
    elif report.result is not None:
        status, findings = report.result.status, report.result.findings
    else:
        return None
    return {
        "policy": report.policy,
        "status": status,
        "findings": [
            {
                "check": finding.check,
                "detail": finding.detail,
                **members(finding.check, explain=explain),
            }
            for finding in findings
        ],
        **_trustworthiness(report),
    }


def _trustworthiness(report: Report) -> dict[str, Json]:
    """The vector of each piece of evidence, where evidence was appraised."""
    vectors: list[Json] = [appraisal.to_json() for appraisal in report.appraisals]
    return {"trustworthiness": vectors} if vectors else {}


def as_text(report: Report, *, explain: bool = False) -> str:
    """Returns the report for people; `explain` adds what each check is about."""
    return "\n".join(map(printable, _lines(report, explain=explain)))


def _lines(report: Report, *, explain: bool) -> Iterator[str]:
    yield f"input    {report.name}: {report.kind}, {report.size} bytes, sha256 {report.sha256}"
    yield "checks"
    for check in report.checks:
        outcome = check.outcome.replace("-", " ")
        piece = "" if check.evidence is None else f"[{check.evidence}] "
        yield f"  {outcome:<12} {check.id:<22} {piece}{check.detail}"
        yield from check_lines(check.id, check.outcome, explain=explain)
    if report.claims is not None:
        yield "claims"
        yield from tree(report.claims, "  ")
    yield from _vectors(report)
    if report.debug:
        yield "warning  debug allowed: the host can read the guest's memory"
    yield f"result   {_verdict(report)}"
    yield from _findings(report, explain=explain)


def _findings(report: Report, *, explain: bool) -> Iterator[str]:
    refused = isinstance(report.error, PolicyError)
    findings = report.result.findings if report.result else ()
    if isinstance(report.error, PolicyError):
        findings = report.error.findings
    explained = set()
    for finding in findings:
        yield f"         {_scalar(str(finding))}"
        if finding.check not in explained:
            yield from finding_lines(finding.check, refused=refused, explain=explain)
        explained.add(finding.check)


def _vectors(report: Report) -> Iterator[str]:
    for index, appraisal in enumerate(report.appraisals):
        piece = f" [{index}]" if len(report.appraisals) > 1 else ""
        yield f"trustworthiness{piece}"
        for aspect, claim in appraisal.vector.items():
            yield f"  {claim.tier:<15} {claim.value:>3} {aspect:<18} {_scalar(claim.reason)}"


def tree(value: Json, indent: str) -> Iterator[str]:
    """Prints objects and lists by indentation; an object of numbers and flags takes one line."""
    match value:
        case dict():
            for name, member in value.items():
                yield from _member(name, member, indent)
        case list():
            for item in value:
                yield from tree(item, indent)
        case _:
            yield f"{indent}{_scalar(value)}"


def _member(name: str, value: Json, indent: str) -> Iterator[str]:
    # A string gets a line of its own: on a shared one it could pose as the next member.
    key = _name(name)
    if isinstance(value, dict) and all(isinstance(v, int | None) for v in value.values()):
        yield f"{indent}{key:<26} {_inline(value)}"
    elif isinstance(value, dict | list) and value:
        yield f"{indent}{key}"
        yield from tree(value, indent + "  ")
    else:
        yield f"{indent}{key:<26} {_scalar(value)}"


def _name(name: str) -> str:
    """Quotes names that are none of ours: evidence may have them, to pose as other members."""
    return name if _NAME.fullmatch(name) else json.dumps(_SPACES.sub(" ", name))


def _inline(members: dict[str, Json]) -> str:
    """Names what is true, leaves out what is false or absent, and gives the rest its value."""
    words = [
        _name(name) if value is True else f"{_name(name)} {value}"
        for name, value in members.items()
        if value is not None and value is not False
    ]
    return ", ".join(words) or "-"


def _scalar(value: Json) -> str:
    match value:
        case None | []:
            return "-"
        case bool():
            return "yes" if value else "no"
        case str() if value in _WORDS:
            return json.dumps(value)  # What is only spelt like a flag is none.
        case _:
            # Padding could push a forged line to where a terminal wraps.
            return _SPACES.sub(" ", str(value))


def _verdict(report: Report) -> str:
    authentic = "SIMULATED, authentic" if report.simulated else "authentic"
    if isinstance(report.error, PolicyError):
        return f"{authentic}, but CONTRAINDICATED by {report.policy or 'its issuer'}"
    if report.error is not None:
        return f"{report.error.case.upper()}: {report.error.message}"
    if report.result is None:
        return f"{authentic}, NOT APPRAISED"
    return f"{authentic}, {report.result.status} under {report.result.policy}"
