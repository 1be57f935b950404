"""Intel Trust Authority: both versions of its tokens, its nonce, and its policies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from wasmtime_attestation.checks import Ledger, Outcome
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import INTEL, Issuer
from wasmtime_attestation.wit import Status, TeeType

from tests.fakes import ita
from tests.fakes.jose import Members, Signer
from tests.fakes.token import without
from tests.verifier.service_verification import cuts_and_flips, rejected, survives, verify

KEYS = ita.keys()
Claims = Callable[[], Members]
VERSIONS = {"1": ita.version_1, "2": ita.version_2}
each_version = pytest.mark.parametrize("claims", VERSIONS.values(), ids=VERSIONS)


def about_td(claims: Claims, **change: object) -> Members:
    """Returns claims with changes in what is said of the TD."""
    members = claims()
    return members | {"tdx": members["tdx"] | change} if "tdx" in members else members | change


def refused(claims: Members, expected: Expected | None = None) -> tuple[str, str]:
    return rejected(ita.SIGNER.sign(claims), KEYS, expected=expected)


@each_version
@pytest.mark.parametrize("signer", [ita.SIGNER, ita.RS256], ids=["PS384", "RS256"])
def test_right_tokens(claims: Claims, signer: Signer) -> None:
    verdict = verify(signer.sign(claims()), KEYS)
    assert (verdict.kind, verdict.issuer) == ("ita", ita.ISSUER)
    assert verdict.status is Status.AFFIRMING
    assert verdict.nonce == ita.text(ita.VALUE)
    machine = verdict.environments[0]
    assert (machine.tee_type, machine.tcb_status) == (TeeType.INTEL_TDX, "UpToDate")
    assert machine.measurements["mrtd"] == "ab" * 48
    assert machine.measurements["rtmr2"] == "02" * 48
    assert machine.report_data == bytes.fromhex(ita.report_data())


def test_version_2_is_about_each_device() -> None:
    machine, gpu = verify(ita.SIGNER.sign(ita.version_2()), KEYS).environments
    assert (machine.name, gpu.name) == ("tdx", "GPU-0")
    assert gpu.tee_type is TeeType.NVIDIA_GPU
    assert gpu.measurements == {"hwmodel": "GH100"}


@pytest.mark.parametrize("iss", sorted(INTEL.names))
def test_its_names(iss: str) -> None:
    assert verify(ita.SIGNER.sign(ita.version_1() | {"iss": iss}), KEYS).issuer == iss


def test_other_names() -> None:
    for iss in ("intel trust authority", "https://portal.trustauthority.intel.com/"):
        assert refused(ita.version_1() | {"iss": iss})[0] == "token.issuer"


def test_its_keys_must_be_given() -> None:
    with pytest.raises(UnavailableError, match="/certs at the portal"):
        verify(ita.SIGNER.sign(ita.version_1()))


@pytest.mark.parametrize("algorithm", ["PS256", "RS384", "none", "HS256", "ES384"])
def test_only_its_algorithms(algorithm: str) -> None:
    signer = Signer(ita.SIGNER.key, algorithm, ita.SIGNER.key_id)
    assert rejected(signer.sign(ita.version_1()), KEYS)[0] == "token.profile"


def test_one_algorithm_where_the_configuration_says_so() -> None:
    narrow = Issuer(
        "ours",
        TokenKind.ITA,
        INTEL.names,
        jwks.decode(KEYS),
        algorithms=frozenset({next(a for a in INTEL.accepted_algorithms if a == "PS384")}),
    )
    verify(ita.SIGNER.sign(ita.version_1()), issuers=[narrow])
    assert rejected(ita.RS256.sign(ita.version_1()), issuers=[narrow])[0] == "token.profile"


class TestPolicies:
    def test_a_policy_that_did_not_match(self) -> None:
        """The service issues the token all the same."""
        claims = ita.version_1() | {"policy_ids_unmatched": ita.matched(ita.OTHER)}
        verdict = verify(ita.SIGNER.sign(claims), KEYS)
        assert verdict.status is Status.WARNING
        assert ita.OTHER in verdict.reasons[0].detail

    def requiring(self, *ids: str) -> list[Issuer]:
        keys = jwks.decode(KEYS)
        return [Issuer("ours", TokenKind.ITA, INTEL.names, keys, required_policies=frozenset(ids))]

    @each_version
    def test_a_required_policy(self, claims: Claims) -> None:
        token = ita.SIGNER.sign(claims())
        assert verify(token, issuers=self.requiring(ita.POLICY)).status is Status.AFFIRMING
        verdict = verify(token, issuers=self.requiring(ita.POLICY, ita.OTHER))
        assert verdict.status is Status.CONTRAINDICATED
        assert ita.OTHER in verdict.reasons[0].detail

    def test_a_required_policy_that_stands_in_both_lists(self) -> None:
        claims = ita.version_1() | {"policy_ids_unmatched": ita.matched(ita.POLICY)}
        verdict = verify(ita.SIGNER.sign(claims), issuers=self.requiring(ita.POLICY))
        assert verdict.status is Status.CONTRAINDICATED

    def test_no_policies_at_all(self) -> None:
        claims = without(ita.version_1(), "policy_ids_matched")
        assert verify(ita.SIGNER.sign(claims), KEYS).status is Status.AFFIRMING
        verdict = verify(ita.SIGNER.sign(claims), issuers=self.requiring(ita.POLICY))
        assert verdict.status is Status.CONTRAINDICATED


@each_version
@pytest.mark.parametrize(
    ("change", "status", "check"),
    [
        ({"tdx_is_debuggable": True}, "contraindicated", "policy.debug"),
        ({"tdx_td_attributes_debug": True}, "contraindicated", "policy.debug"),
        ({"dbgstat": "enabled"}, "contraindicated", "policy.debug"),
        ({"attester_tcb_status": "OutOfDate"}, "warning", "policy.tcb-status"),
        ({"attester_tcb_status": "Revoked"}, "contraindicated", "policy.tcb-status"),
    ],
    ids=str,
)
def test_what_speaks_against_a_td(claims: Claims, change: Members, status: str, check: str) -> None:
    verdict = verify(ita.SIGNER.sign(about_td(claims, **change)), KEYS)
    assert verdict.status == status
    assert check in [finding.check for finding in verdict.reasons]


@pytest.mark.parametrize(
    "change",
    [
        {"x-nvidia-overall-att-result": False},
        {"x-nvidia-overall-att-result": None},
        {"claim_details": {"GPU-0": {"secboot": True, "dbgstat": "disabled", "measres": "fail"}}},
        {"claim_details": {"GPU-0": {"secboot": 1, "dbgstat": "disabled", "measres": "success"}}},
        {"claim_details": {"GPU-0": {}}},
        {"claim_details": {}},
        {"claim_details": None},
    ],
    ids=str,
)
def test_what_speaks_against_a_gpu(change: Members) -> None:
    claims = ita.version_2() | {"nvgpu": ita.gpu() | change}
    verdict = verify(ita.SIGNER.sign(claims), KEYS)
    assert verdict.status is Status.CONTRAINDICATED
    assert verdict.environments[0].status is Status.AFFIRMING


@pytest.mark.parametrize(
    "change",
    [
        {"attester_type": "CCA"},
        {"attester_type": None},
        {"tdx_mrtd": None},
        {"tdx_mrtd": "00"},
        {"tdx": []},
        {"tdx_is_debuggable": "false"},
        {"policy_ids_matched": {}},
        {"policy_ids_matched": ["one"]},
        {"policy_ids_matched": [{"version": "v1"}]},
        {"policy_ids_unmatched": [{"id": str(n)} for n in range(101)]},
        {"verifier_nonce": "AAAA"},
        {"verifier_nonce": {"val": "AAAA"}},
        {"verifier_nonce": {"val": "!", "iat": "AAAA"}},
        {"attester_held_data": "!"},
        {"attester_runtime_data": []},
        {"attester_runtime_data": {"user-data": "00"}},
        {"x": 1, "nvgpu": None},
        {"nvgpu": {"claim_details": []}},
    ],
    ids=str,
)
def test_malformed_claims(change: Members) -> None:
    assert refused(ita.version_1() | change)[0] == "ita.claims"


class TestNonce:
    @each_version
    def test_it_is_bound_to_the_report(self, claims: Claims) -> None:
        for change in (
            {"tdx_report_data": "00" * 64},
            {"attester_held_data": ita.text(b"other")},
            {"attester_held_data": None},
            {"verifier_nonce": ita.nonce() | {"val": ita.text(b"another")}},
            {"verifier_nonce": ita.nonce() | {"iat": ita.text(b"another")}},
        ):
            assert refused(about_td(claims, **change))[0] == "ita.nonce"

    def test_without_data_of_the_attester(self) -> None:
        claims = without(ita.version_1(), "attester_held_data")
        claims["tdx_report_data"] = ita.report_data(b"")
        verify(ita.SIGNER.sign(claims), KEYS)

    def test_on_azure_it_is_in_the_paravisors_claims(self) -> None:
        change = {
            "tdx_report_data": "a5" * 64,
            "attester_runtime_data": {"user-data": ita.report_data().upper(), "keys": []},
        }
        verify(ita.SIGNER.sign(ita.version_1() | change), KEYS)
        change["attester_runtime_data"] = {"user-data": "00" * 64}
        assert refused(ita.version_1() | change)[0] == "ita.nonce"

    @pytest.mark.parametrize(
        "claims",
        [
            without(ita.version_1(), "verifier_nonce"),
            without(ita.version_1(), "tdx_report_data"),
            without(ita.version_1(), "attester_held_data") | {"attester_runtime_data": {"a": 1}},
        ],
    )
    def test_what_cannot_be_checked_is_reported(self, claims: Members) -> None:
        ledger = Ledger()
        verify(ita.SIGNER.sign(claims), KEYS, ledger=ledger)
        outcomes = {check.id: check.outcome for check in ledger.checks}
        assert outcomes["ita.nonce"] is Outcome.NOT_CHECKED

    @each_version
    def test_the_callers_nonce_is_the_services(self, claims: Claims) -> None:
        token = ita.SIGNER.sign(claims())
        verify(token, KEYS, expected=Expected(nonce=ita.VALUE))
        assert rejected(token, KEYS, expected=Expected(nonce=bytes(40)))[0] == "token.nonce"
        bare = without(claims(), "tdx") | {"attester_type": "SGX"}
        assert refused(without(bare, "verifier_nonce"), Expected(ita.VALUE))[0] == "token.nonce"


@each_version
def test_what_the_evidence_is_bound_to(claims: Claims) -> None:
    token = ita.SIGNER.sign(claims())
    verify(token, KEYS, expected=Expected(report_data=ita.HELD))
    other = Expected(report_data=bytes(64))
    assert rejected(token, KEYS, expected=other)[0] == "evidence.binding"
    bare = about_td(claims, attester_held_data=None, tdx_report_data=None, verifier_nonce=None)
    assert refused(bare, other)[0] == "evidence.binding"


def test_other_environments() -> None:
    enclave = {
        "attester_type": "SGX",
        "attester_tcb_status": "UpToDate",
        "sgx_is_debuggable": False,
        "sgx_mrenclave": "11" * 32,
        "sgx_mrsigner": "22" * 32,
    }
    verdict = verify(ita.SIGNER.sign(ita.times() | enclave), KEYS)
    assert (verdict.tee_type, verdict.status) == (TeeType.INTEL_SGX, Status.AFFIRMING)
    assert verdict.environments[0].measurements == {"mrenclave": "11" * 32, "mrsigner": "22" * 32}
    snp = ita.times() | {"sevsnp": {"sevsnp_measurement": "33" * 48}}
    verdict = verify(ita.SIGNER.sign(snp), KEYS)
    assert (verdict.tee_type, verdict.status) == (TeeType.AMD_SEV_SNP, Status.WARNING)


def test_every_change_is_rejected() -> None:
    for changed in cuts_and_flips(ita.SIGNER.sign(ita.version_2()), 13):
        assert survives(changed, KEYS) is None


@pytest.mark.weekly
@each_version
def test_every_bit_of_a_token(claims: Claims) -> None:
    for changed in cuts_and_flips(ita.SIGNER.sign(claims())):
        assert survives(changed, KEYS) is None
