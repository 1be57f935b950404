"""Appraisal applies a policy to authentic claims and tells everything that it does not accept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wasmtime_attestation.appraisal import appraise
from wasmtime_attestation.appraisal.findings import FINDINGS
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.errors import PolicyError
from wasmtime_attestation.evidence.snp_fields import ProductLine, TcbVersion
from wasmtime_attestation.policy import (
    HARDWARE_ONLY,
    AppraisalPolicy,
    load,
)
from wasmtime_attestation.policy.snp import MinimumTcb, SnpPolicy
from wasmtime_attestation.wit import Status, TeeType

from tests import vectors
from tests.fakes.amd import AT, GENOA, MILAN, TURIN, VLEK, Machine, encode_tcb
from tests.fakes.certificates import crl
from tests.verifier.snp_verification import AMD, verify

ANY_SNP = AppraisalPolicy("any", frozenset({TeeType.AMD_SEV_SNP}))
SMT, MIGRATION, DEBUG = 1 << 16, 1 << 18, 1 << 19
ALWAYS_ONE = 1 << 17
GUEST = b"\xd1" * 32


def claims(
    machine: Machine = MILAN, anchors: Anchors | None = None, **fields: int | bytes
) -> Claims:
    return verify(machine.report(**fields), machine.chain(), anchors=anchors).claims


def findings(
    of: Claims, policy: AppraisalPolicy, *, guest_digest: bytes | None = None
) -> list[str]:
    """Returns the checks that failed; each must be one that is documented."""
    with pytest.raises(PolicyError) as caught:
        appraise(of, policy, at=AT, guest_digest=guest_digest)
    checks = [finding.check for finding in caught.value.findings]
    assert set(checks) <= FINDINGS.keys()
    return checks


def with_snp(policy: SnpPolicy) -> AppraisalPolicy:
    return replace(ANY_SNP, snp=policy)


def accepts(of: Claims, policy: SnpPolicy) -> None:
    assert appraise(of, with_snp(policy), at=AT, guest_digest=None).status is Status.AFFIRMING


def test_an_empty_policy_denies() -> None:
    empty = load("empty", b"schema = 1")

    assert findings(claims(), empty) == ["policy.accept"]
    assert findings(claims(), AppraisalPolicy("bare")) == ["policy.accept"]


def test_the_kind_of_environment_must_be_accepted() -> None:
    tdx_only = AppraisalPolicy("tdx", frozenset({TeeType.INTEL_TDX}))

    with pytest.raises(PolicyError, match="is amd-sev-snp; the policy accepts intel-tdx"):
        appraise(claims(), tdx_only, at=AT, guest_digest=None)


@pytest.mark.parametrize("vector", vectors.SNP, ids=str)
def test_real_reports_under_the_preset(vector: vectors.SnpVector) -> None:
    of = verify(vector.report(), vector.chain(), at=vectors.AT, anchors=AMD).claims

    if vector is vectors.MILAN_V2:
        assert findings(of, HARDWARE_ONLY) == ["policy.debug"]
    else:
        assert appraise(of, HARDWARE_ONLY, at=AT, guest_digest=None).status is Status.AFFIRMING


@pytest.mark.parametrize(
    ("bit", "check", "permissive"),
    [
        (DEBUG, "policy.debug", SnpPolicy(unsafe_allow_debug=True)),
        (MIGRATION, "policy.migration-agent", SnpPolicy(allow_migration_agent=True)),
        (SMT, "policy.smt", SnpPolicy(allow_smt=True)),
    ],
    ids=["debug", "migration", "smt"],
)
def test_what_the_guests_policy_allows_its_host(
    bit: int, check: str, permissive: SnpPolicy
) -> None:
    strict = with_snp(SnpPolicy(allow_smt=False))

    assert findings(claims(policy=ALWAYS_ONE | bit), strict) == [check]
    appraise(claims(policy=ALWAYS_ONE), strict, at=AT, guest_digest=None)
    appraise(claims(policy=ALWAYS_ONE | bit), with_snp(permissive), at=AT, guest_digest=None)


def test_debugging_is_a_warning_where_it_is_allowed() -> None:
    result = appraise(
        claims(policy=ALWAYS_ONE | DEBUG),
        with_snp(SnpPolicy(unsafe_allow_debug=True)),
        at=AT,
        guest_digest=None,
    )

    assert result.status is Status.WARNING
    assert [finding.check for finding in result.findings][:1] == ["policy.debug"]


def test_a_migration_agent_is_a_warning_where_it_is_allowed() -> None:
    attached = appraise(claims(report_id_ma=bytes(32)), HARDWARE_ONLY, at=AT, guest_digest=None)
    absent = appraise(claims(report_id_ma=b"\xff" * 32), HARDWARE_ONLY, at=AT, guest_digest=None)

    assert attached.status is Status.WARNING
    assert "policy.migration-agent" in [finding.check for finding in attached.findings]
    assert absent.status is Status.AFFIRMING


def test_simulated_evidence_is_accepted_only_as_such_and_with_a_warning() -> None:
    simulated = claims(anchors=AMD.trusting([MILAN.amd.root_fingerprint]))

    assert findings(simulated, ANY_SNP) == ["policy.accept"]
    result = appraise(simulated, HARDWARE_ONLY, at=AT, guest_digest=None)
    assert result.status is Status.WARNING
    assert "policy.simulated" in [finding.check for finding in result.findings]


@pytest.mark.parametrize("vmpl", [1, 3, 0xFFFFFFFF])
def test_the_privilege_level(vmpl: int) -> None:
    """0xFFFFFFFF: the host asked for the report, and not the guest."""
    assert findings(claims(vmpl=vmpl), HARDWARE_ONLY) == ["policy.vmpl"]
    accepts(claims(vmpl=vmpl), SnpPolicy(vmpls=frozenset({0, vmpl})))
    assert findings(claims(), with_snp(SnpPolicy(vmpls=frozenset()))) == ["policy.vmpl"]


def test_revocation_must_have_been_checked_where_the_policy_demands_it() -> None:
    policy = SnpPolicy(require_revocation_check=True)
    ark = MILAN.amd.ark
    endorsements = MILAN.endorsements(crl(ark.certificate, ark.key))

    assert findings(claims(), with_snp(policy)) == ["policy.revocation"]
    accepts(verify(MILAN.report(), endorsements).claims, policy)


def test_the_guests_security_version() -> None:
    policy = SnpPolicy(minimum_guest_svn=5)

    assert findings(claims(guest_svn=4), with_snp(policy)) == ["policy.guest-svn"]
    accepts(claims(guest_svn=5), policy)


@pytest.mark.parametrize("component", ["boot_loader", "tee", "snp", "microcode", "fmc"])
def test_each_part_of_the_tcb_has_its_minimum(component: str) -> None:
    # fmc 1, boot loader 1, TEE 1, SNP 4, microcode 81
    enough = MinimumTcb(boot_loader=1, tee=1, snp=4, microcode=81, fmc=1)
    more = replace(enough, **{component: getattr(enough, component) + 1})

    accepts(claims(TURIN), SnpPolicy(minimum_tcb={ProductLine.TURIN: enough}))
    demanding = with_snp(SnpPolicy(minimum_tcb={ProductLine.TURIN: more}))
    assert findings(claims(TURIN), demanding) == ["policy.tcb"]


def test_a_minimum_is_compared_with_what_is_reported() -> None:
    """A host can report less than it runs, and never more than its VCEK proves."""
    policy = with_snp(SnpPolicy(minimum_tcb={ProductLine.MILAN: MinimumTcb(4, 0, 24, 219)}))
    older = replace(MILAN, tcb=TcbVersion(4, 0, 23, 219))

    newer_running = claims(older, current_tcb=encode_tcb(MILAN.tcb))

    assert findings(newer_running, policy) == ["policy.tcb"]


def test_versions_are_not_traded_for_one_another() -> None:
    policy = with_snp(SnpPolicy(minimum_tcb={ProductLine.MILAN: MinimumTcb(5, 1, 0, 0)}))

    assert findings(claims(), policy) == ["policy.tcb", "policy.tcb"]


def test_a_line_without_a_minimum_is_refused_where_others_have_one() -> None:
    policy = with_snp(SnpPolicy(minimum_tcb={ProductLine.MILAN: MinimumTcb(0, 0, 0, 0)}))

    assert findings(claims(GENOA), policy) == ["policy.tcb"]
    appraise(claims(), policy, at=AT, guest_digest=None)


REFERENCE_VALUES = [
    ("measurements", "measurement", "policy.measurement", 48),
    ("host_data", "host_data", "policy.host-data", 32),
    ("id_key_digests", "id_key_digest", "policy.id-key-digest", 48),
    ("author_key_digests", "author_key_digest", "policy.author-key-digest", 48),
]


@pytest.mark.parametrize(("setting", "field", "check", "size"), REFERENCE_VALUES)
def test_reference_values(setting: str, field: str, check: str, size: int) -> None:
    value, other = b"\x0a" * size, b"\x0b" * size
    of = verify(MILAN.report(**{field: value}), MILAN.chain()).claims
    policies = {
        values: SnpPolicy(**{setting: frozenset(values)})  # type: ignore[arg-type]
        for values in ((value,), (other, value), (other,), ())
    }

    accepts(of, policies[(value,)])
    accepts(of, policies[(other, value)])
    assert findings(of, with_snp(policies[(other,)])) == [check]
    assert findings(of, with_snp(policies[()])) == [check]


def test_the_chip() -> None:
    accepts(claims(), SnpPolicy(chip_ids=frozenset({MILAN.chip_id})))
    one_chip = with_snp(SnpPolicy(chip_ids=frozenset({MILAN.chip_id})))

    # A VLEK hides the chip, which is not the same as being the right one.
    assert findings(claims(VLEK), one_chip) == ["policy.chip-id"]


def test_the_guest() -> None:
    policy = replace(ANY_SNP, guest_digests=frozenset({GUEST}))

    appraise(claims(), policy, at=AT, guest_digest=GUEST)
    assert findings(claims(), policy, guest_digest=b"\xd2" * 32) == ["policy.guest-digest"]
    assert findings(claims(), policy, guest_digest=None) == ["policy.guest-digest"]
    nobody = replace(ANY_SNP, guest_digests=frozenset())
    assert findings(claims(), nobody, guest_digest=GUEST) == ["policy.guest-digest"]
    appraise(claims(), ANY_SNP, at=AT, guest_digest=GUEST)


def test_all_findings_are_told_at_once() -> None:
    bad = claims(policy=ALWAYS_ONE | SMT | MIGRATION | DEBUG, vmpl=2)
    nothing: frozenset[bytes] = frozenset()
    policy = AppraisalPolicy(
        "strict",
        accept=frozenset({TeeType.INTEL_TDX}),
        guest_digests=frozenset({GUEST}),
        snp=SnpPolicy(
            allow_smt=False,
            require_revocation_check=True,
            minimum_guest_svn=1,
            minimum_tcb={ProductLine.MILAN: MinimumTcb(255, 255, 255, 255, 255)},
            measurements=nothing,
            host_data=nothing,
            id_key_digests=nothing,
            author_key_digests=nothing,
            chip_ids=nothing,
        ),
    )

    assert findings(bad, policy) == [
        "policy.accept",
        "policy.debug",
        "policy.migration-agent",
        "policy.smt",
        "policy.vmpl",
        "policy.revocation",
        "policy.guest-svn",
        *["policy.tcb"] * 5,
        "policy.measurement",
        "policy.host-data",
        "policy.id-key-digest",
        "policy.author-key-digest",
        "policy.chip-id",
        "policy.guest-digest",
    ]
