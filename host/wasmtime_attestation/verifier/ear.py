"""EAT Attestation Results: those of the current draft, and those that Trustee and Veraison issue.

The two generations name the same things differently and cannot be mixed in a token. A status may
not claim more than the vector beside it.

Source: draft-ietf-rats-ear (profile `tag:ietf.org,2026:rats/ear#03`, #04) and, for the former
names, draft-fv-rats-ear; draft-ietf-rats-ar4si for the vector.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from wasmtime_attestation.claims.trustworthiness import VALUES, Aspect, is_better, tier, worst
from wasmtime_attestation.claims.verdict import Environment, TokenKind, Verdict
from wasmtime_attestation.endorsements.json_object import JsonObject
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.evidence import text
from wasmtime_attestation.evidence.strict_json import brief
from wasmtime_attestation.verifier import issued, runtime_data
from wasmtime_attestation.verifier.expectations import check_nonce, is_nonce, texts
from wasmtime_attestation.verifier.issued import IssuedToken, Reader
from wasmtime_attestation.wit import Status, TeeType

CHECKS = (*issued.CHECKS, "ear.profile", "ear.appraisals", "ear.status", "evidence.binding")
PROFILE = "tag:ietf.org,2026:rats/ear#03"
"""What this package issues."""
PROFILES = (PROFILE, "tag:ietf.org,2026:rats/ear#04")
_DRAFT = "tag:ietf.org,2026:rats/ear"
MAX_SUBMODULES = 64
_ISSUER = "policy.issuer-status"


@dataclass(frozen=True, slots=True)
class _Generation:
    """The names that a generation has for the claims."""

    verifier: str
    status: str
    vector: str
    evidence: tuple[str, ...]


_CURRENT = _Generation(
    "ear_verifier_id",
    "ear_status",
    "ear_trustworthiness_vector",
    ("ear_attester_claims", "ear_veraison_annotated_evidence"),
)
_FORMER = _Generation(
    "ear.verifier-id",
    "ear.status",
    "ear.trustworthiness-vector",
    ("ear.veraison.annotated-evidence",),
)
# Our own labels, and those of kbs-types that Trustee uses.
_TEES: Mapping[str, TeeType] = MappingProxyType(
    {str(tee): tee for tee in TeeType}
    | {
        "tdx": TeeType.INTEL_TDX,
        "aztdxvtpm": TeeType.INTEL_TDX,
        "az-tdx-vtpm": TeeType.INTEL_TDX,
        "snp": TeeType.AMD_SEV_SNP,
        "azsnpvtpm": TeeType.AMD_SEV_SNP,
        "az-snp-vtpm": TeeType.AMD_SEV_SNP,
        "sgx": TeeType.INTEL_SGX,
        "sev": TeeType.AMD_SEV,
        "cca": TeeType.ARM_CCA,
        "se": TeeType.IBM_SE,
        "nvidia": TeeType.NVIDIA_GPU,
        "sample": TeeType.SIMULATED,
        "sampledevice": TeeType.SIMULATED,
    }
)
# Names of measurements in what Trustee annotates, and bytes of each.
_MEASUREMENTS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "mr_td": ("mrtd", 48),
        "rtmr_0": ("rtmr0", 48),
        "rtmr_1": ("rtmr1", 48),
        "rtmr_2": ("rtmr2", 48),
        "rtmr_3": ("rtmr3", 48),
        "mr_seam": ("mrseam", 48),
        "mr_config_id": ("mrconfigid", 48),
        "mr_owner": ("mrowner", 48),
        "mr_owner_config": ("mrownerconfig", 48),
        **{
            name: (name, 48)
            for name in (
                "measurement",
                "mrtd",
                "rtmr0",
                "rtmr1",
                "rtmr2",
                "rtmr3",
                "mrseam",
                "mrconfigid",
                "mrowner",
                "mrownerconfig",
            )
        },
        "host_data": ("host_data", 32),
        "xfam": ("xfam", 8),
    }
)


def verdict(token: IssuedToken, reader: Reader) -> Verdict:
    """Returns what an attestation result says.

    Args:
        token: the token, authentic.
        reader: the verification.

    Raises:
        RejectedError: its claims are malformed, contradict each other, or are not as expected.
    """
    claims, ledger = JsonObject("the token", token.claims), reader.ledger
    generation = _generation(claims, reader)
    names = reader.attempt(lambda: _submodules(claims), "ear.appraisals")
    found = [_environment(name, names[name], generation, reader) for name in names]
    ledger.passed("ear.appraisals", f"of {', '.join(map(brief, names))}")
    result = _overall(claims, generation, found, reader)
    ledger.passed("ear.status", "no status claims more than the vector beside it")
    nonce = _nonce(claims, reader)
    runtime_data.check([_annotations(names[name], generation) for name in names], reader)
    return Verdict(
        kind=TokenKind.EAR,
        issuer=token.named,
        issued_at=token.period.issued_at,
        expires_at=token.period.expires_at,
        environments=tuple(found),
        token=token.claims,
        nonce=nonce,
        audience=token.audience,
        result=result,
    )


def _generation(claims: JsonObject, reader: Reader) -> _Generation:
    """The profile decides: that of the draft has the current names, those of products former."""
    profile = reader.attempt(lambda: claims.string("eat_profile"), "ear.profile")
    if profile.startswith(_DRAFT) and profile not in PROFILES:
        known = ", ".join(PROFILES)
        reader.ledger.reject("ear.profile", f"{brief(profile)} is unknown; known are {known}")
    generation = _CURRENT if profile in PROFILES else _FORMER
    identity = reader.attempt(lambda: claims.object(generation.verifier), "ear.profile")
    developer = reader.attempt(lambda: identity.string("developer"), "ear.profile")
    build = reader.attempt(lambda: identity.string("build"), "ear.profile")
    reader.attempt(lambda: _check_names(claims, generation), "ear.profile")
    reader.ledger.passed("ear.profile", f"{brief(profile)}, by {brief(developer)}, {brief(build)}")
    return generation


def _check_names(claims: JsonObject, generation: _Generation) -> None:
    """Refuses names of the other generation, whose status or vector would go unread."""
    other = _FORMER if generation is _CURRENT else _CURRENT
    names = {other.verifier, other.status, other.vector}
    submodules = claims.members.get("submods")
    parts = [*submodules.values()] if isinstance(submodules, dict) else []
    for part in (claims.members, *(part for part in parts if isinstance(part, dict))):
        if both := sorted(names & part.keys()):
            raise ValueError(f"{', '.join(both)} is of another generation than the profile")


def _submodules(claims: JsonObject) -> dict[str, JsonObject]:
    submodules = claims.object("submods")
    if not 0 < len(submodules.members) <= MAX_SUBMODULES:
        raise ValueError(f"submods has no 1 to {MAX_SUBMODULES} members")
    if "" in submodules.members or any(len(name) > 256 for name in submodules.members):
        raise ValueError("submods has a name that is empty or longer than 256 characters")
    return {name: submodules.object(name) for name in submodules.members}


def _environment(
    name: str, appraisal: JsonObject, generation: _Generation, reader: Reader
) -> Environment:
    status = reader.attempt(lambda: _status(appraisal, generation.status), "ear.appraisals")
    vector = reader.attempt(lambda: _vector(appraisal, generation.vector), "ear.appraisals")
    limit = worst(tier(value) for value in vector.values())
    if is_better(status, limit):
        reader.ledger.reject(
            "ear.status",
            f"{brief(name)} is {status}, and its vector is {limit}: it contradicts itself",
        )
    evidence = reader.attempt(lambda: _evidence(appraisal, generation), "ear.appraisals")
    # What stands beside the TEE's own section, such as runtime data, is the attester's word.
    sections = {_TEES[key]: section for key, section in evidence.items() if key in _TEES}
    tee_type = next(iter(sections), TeeType.OTHER)
    if TeeType.SIMULATED in sections:
        tee_type = TeeType.SIMULATED
    findings = tuple(_findings(status, vector, tee_type))
    return Environment(
        name=name,
        tee_type=tee_type,
        status=Status.CONTRAINDICATED if tee_type is TeeType.SIMULATED else status,
        measurements=dict(_measurements([sections[tee_type]] if sections else [])),
        findings=findings,
    )


def _status(claims: JsonObject, name: str) -> Status:
    value = claims.string(name)
    if value not in tuple(Status):
        raise ValueError(f"{name} is {brief(value)}; known are {', '.join(Status)}")
    return Status(value)


def _vector(appraisal: JsonObject, name: str) -> dict[Aspect, int]:
    vector = appraisal.optional_object(name) or JsonObject(name, {})
    found = {}
    for key, value in vector.members.items():
        if key not in tuple(Aspect):
            raise ValueError(f"{name} has {brief(key)}; known are {', '.join(Aspect)}")
        if type(value) is not int or value not in VALUES:
            raise ValueError(f"{name}.{key} is {brief(value)}, no integer from -128 to 127")
        found[Aspect(key)] = value
    return found


def _findings(status: Status, vector: Mapping[Aspect, int], tee_type: TeeType) -> Iterator[Finding]:
    if tee_type is TeeType.SIMULATED:
        yield Finding("policy.simulated", "SIMULATED evidence: it proves nothing about hardware")
    if status is Status.AFFIRMING:
        return
    bad = [
        f"{aspect} {value} ({tier(value)})"
        for aspect, value in vector.items()
        if tier(value) in (Status.WARNING, Status.CONTRAINDICATED)
    ]
    yield Finding(
        _ISSUER, f"the issuer's status is {status}: {', '.join(bad) or 'no reason given'}"
    )


def _annotations(appraisal: JsonObject, generation: _Generation) -> list[JsonObject]:
    found = [appraisal.optional_object(name) for name in generation.evidence]
    return [annotated for annotated in found if annotated is not None]


def _evidence(appraisal: JsonObject, generation: _Generation) -> dict[str, JsonObject]:
    """Returns what is annotated, by the name of the TEE; draft 04 names it in a member."""
    found: dict[str, JsonObject] = {}
    for annotated in _annotations(appraisal, generation):
        named = annotated.optional_string("tee") if "tee" in annotated.members else None
        if named is not None:
            found[named] = annotated.optional_object("claims") or JsonObject("claims", {})
        found |= {
            key: annotated.object(key)
            for key, value in annotated.members.items()
            if isinstance(value, dict)
        }
    return found


def _measurements(sections: list[JsonObject]) -> Iterator[tuple[str, str]]:
    """Yields what is known by name, in the sections and in the bodies of quotes in them."""
    quotes = [section.members.get("quote") for section in sections]
    bodies = [quote.get("body") for quote in quotes if isinstance(quote, dict)]
    members = [section.members for section in sections]
    for part in (*members, *(body for body in bodies if isinstance(body, dict))):
        for key, (name, size) in _MEASUREMENTS.items():
            value = part.get(key)
            data = text.decode(value.encode()) if isinstance(value, str) else None
            if data is not None and len(data) == size:
                yield name, data.hex()


def _overall(
    claims: JsonObject, generation: _Generation, found: list[Environment], reader: Reader
) -> Status | None:
    """A token may state a status for the whole, no better than any part's."""
    if generation.status not in claims.members:
        return None
    status = reader.attempt(lambda: _status(claims, generation.status), "ear.appraisals")
    limit = worst(environment.status for environment in found)
    if is_better(status, limit):
        reader.ledger.reject("ear.status", f"the whole is {status}, and a part of it is {limit}")
    return status


def _nonce(claims: JsonObject, reader: Reader) -> str | None:
    """A token may answer several nonces (RFC 9711 section 4.1); one of them must be ours."""
    nonces = reader.attempt(lambda: texts(claims.members.get("eat_nonce"), "eat_nonce"))
    wanted = reader.expected.nonce
    ours = [nonce for nonce in nonces if wanted is not None and is_nonce(nonce, wanted)]
    nonce = next(iter(ours or nonces), None)
    check_nonce(nonce, reader.expected, reader.ledger)
    return nonce
