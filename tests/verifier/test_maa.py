"""Azure Attestation: the configured instance alone, RS256 alone, whatever `jku` says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.errors import InvalidArgumentError, UnavailableError
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.wit import Status, TeeType

from tests.fakes import jose, maa
from tests.fakes.amd import AT
from tests.fakes.jose import Members, Signer, rsa_key
from tests.fakes.token import without
from tests.verifier.service_verification import cuts_and_flips, rejected, survives, verify

INSTANCE = Issuer(
    "our instance", TokenKind.MAA, frozenset({maa.ISSUER}), keys=jwks.decode(maa.keys())
)
ISSUERS = [INSTANCE]
KINDS = {"sev_snp_vm": maa.sev_snp_vm, "tdx_vm": maa.tdx_vm, "azure_guest": maa.azure_guest}
each_kind = pytest.mark.parametrize("claims", KINDS.values(), ids=KINDS)
Claims = Callable[[], Members]


def refused(claims: Members, expected: Expected | None = None) -> tuple[str, str]:
    return rejected(maa.sign(claims), issuers=ISSUERS, expected=expected)


@each_kind
def test_right_tokens(claims: Claims) -> None:
    verdict = verify(maa.sign(claims()), issuers=ISSUERS)
    assert (verdict.kind, verdict.issuer) == ("maa", maa.ISSUER)
    assert verdict.status is Status.AFFIRMING
    assert verdict.expires_at - verdict.issued_at == 28_800
    assert verdict.token == claims()
    assert verdict.environments[0].debug is False


def test_what_a_snp_token_says() -> None:
    for claims in (maa.sev_snp_vm, maa.azure_guest):
        verdict = verify(maa.sign(claims()), issuers=ISSUERS)
        (machine,) = verdict.environments
        assert machine.tee_type is TeeType.AMD_SEV_SNP
        assert machine.measurements == {
            "measurement": maa.MEASUREMENT.hex(),
            "host_data": "11" * 32,
            "id_key_digest": "22" * 48,
            "author_key_digest": "00" * 48,
            "vmpl": "0",
        }
        assert machine.report_data == maa.REPORT_DATA


def test_what_a_tdx_token_says() -> None:
    (machine,) = verify(maa.sign(maa.tdx_vm()), issuers=ISSUERS).environments
    assert machine.tee_type is TeeType.INTEL_TDX
    assert machine.tcb_status == "UpToDate"
    assert machine.measurements["mrtd"] == maa.MEASUREMENT.hex()
    assert machine.measurements["rtmr3"] == "03" * 48


class TestIssuer:
    def test_an_instance_must_be_configured(self) -> None:
        check, why = rejected(maa.sign(maa.tdx_vm()), maa.keys())
        assert check == "token.issuer"
        assert maa.ISSUER in why
        assert 'kind = "maa"' in why

    @pytest.mark.parametrize(
        "iss",
        [
            maa.ISSUER + "/",
            maa.ISSUER.upper(),
            maa.ISSUER.replace("https", "http"),
            "https://attacker.attest.azure.net",
            [maa.ISSUER],
            {maa.ISSUER: 1},
            None,
            "",
        ],
        ids=repr,
    )
    def test_its_name_is_exact(self, iss: object) -> None:
        assert refused(maa.tdx_vm() | {"iss": iss})[0] == "token.issuer"

    def test_a_token_without_a_name(self) -> None:
        token = maa.sign(without(maa.tdx_vm(), "iss") | {"submods": {}})
        assert rejected(token, issuers=ISSUERS)[0] == "token.issuer"

    def test_its_keys_may_come_with_the_endorsements(self) -> None:
        named = Issuer("ours", TokenKind.MAA, frozenset({maa.ISSUER}))
        file = "jwks-shared.example.attest.azure.net.json"
        verify(maa.sign(maa.tdx_vm()), maa.keys(), [named], file=file)
        with pytest.raises(UnavailableError, match="/certs at the instance"):
            verify(maa.sign(maa.tdx_vm()), None, [named])

    def test_configured_keys_are_the_only_ones(self) -> None:
        """A key among the endorsements does not speak for an issuer that has its own."""
        other = Signer(rsa_key(52), "RS256", "other")
        assert rejected(other.sign(maa.tdx_vm()), jose.jwks(other.jwk), ISSUERS)[0] == "token.key"

    @pytest.mark.parametrize("algorithm", ["PS256", "RS384", "none", "HS256", "ES256"])
    def test_only_rs256(self, algorithm: str) -> None:
        signer = Signer(maa.SIGNER.key, algorithm, maa.SIGNER.key_id)
        check, _ = rejected(signer.sign(maa.tdx_vm()), issuers=ISSUERS)
        assert check == "token.profile"

    def test_the_jku_is_not_asked(self) -> None:
        attacker = Signer(rsa_key(666), "RS256", maa.SIGNER.key_id)
        header = attacker.header | {"jku": "https://attacker.attest.azure.net/certs"}
        token = attacker.sign(maa.tdx_vm(), header)
        assert rejected(token, issuers=ISSUERS)[0] == "token.signature"


@pytest.mark.parametrize(
    ("claims", "change"),
    [
        (maa.sev_snp_vm, {"x-ms-attestation-type": "sgx"}),
        (maa.sev_snp_vm, {"x-ms-attestation-type": "tdxvm"}),
        (maa.sev_snp_vm, {"x-ms-attestation-type": None}),
        (maa.sev_snp_vm, {"x-ms-sevsnpvm-launchmeasurement": "00"}),
        (maa.sev_snp_vm, {"x-ms-sevsnpvm-launchmeasurement": "zz" * 48}),
        (maa.sev_snp_vm, {"x-ms-sevsnpvm-reportdata": None}),
        (maa.sev_snp_vm, {"x-ms-sevsnpvm-is-debuggable": "false"}),
        (maa.sev_snp_vm, {"x-ms-sevsnpvm-is-debuggable": 0}),
        (maa.sev_snp_vm, {"x-ms-sevsnpvm-vmpl": 4}),
        (maa.sev_snp_vm, {"x-ms-sevsnpvm-vmpl": True}),
        (maa.sev_snp_vm, {"x-ms-sevsnpvm-vmpl": 0.5}),
        (maa.sev_snp_vm, {"x-ms-runtime": []}),
        (maa.sev_snp_vm, {"x-ms-runtime": {"user-data": "00"}}),
        (maa.sev_snp_vm, {"nonce": 5}),
        (maa.tdx_vm, {"tdx_mrtd": None}),
        (maa.tdx_vm, {"tdx_rtmr0": "00" * 47}),
        (maa.tdx_vm, {"tdx_td_attributes": "00"}),
        (maa.tdx_vm, {"attester_tcb_status": 5}),
        (maa.azure_guest, {"x-ms-isolation-tee": None}),
        (maa.azure_guest, {"x-ms-isolation-tee": {"x-ms-attestation-type": "azurevm"}}),
        (maa.azure_guest, {"secureboot": "true"}),
        (maa.azure_guest, {"x-ms-azurevm-kerneldebug-enabled": 0}),
        (maa.azure_guest, {"x-ms-azurevm-dbvalidated": "true"}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)[:50]),
)
def test_malformed_claims(claims: Claims, change: Members) -> None:
    assert refused(claims() | change)[0] == "maa.claims"


@pytest.mark.parametrize(
    ("claims", "change", "status", "check"),
    [
        (maa.sev_snp_vm, {"x-ms-sevsnpvm-is-debuggable": True}, "contraindicated", "policy.debug"),
        (maa.sev_snp_vm, {"x-ms-sevsnpvm-is-debuggable": None}, "warning", "policy.debug"),
        (maa.sev_snp_vm, {"x-ms-compliance-status": "none"}, "warning", "policy.issuer-status"),
        (maa.sev_snp_vm, {"x-ms-compliance-status": None}, "warning", "policy.issuer-status"),
        (maa.tdx_vm, {"tdx_td_attributes": "01" + "00" * 7}, "contraindicated", "policy.debug"),
        (maa.tdx_vm, {"dbgstat": "enabled"}, "contraindicated", "policy.debug"),
        (maa.tdx_vm, {"tdx_is_debuggable": True}, "contraindicated", "policy.debug"),
        (maa.tdx_vm, {"attester_tcb_status": "OutOfDate"}, "warning", "policy.tcb-status"),
        (maa.tdx_vm, {"attester_tcb_status": "Revoked"}, "contraindicated", "policy.tcb-status"),
        (maa.azure_guest, {"secureboot": False}, "warning", "policy.issuer-status"),
        *(
            (maa.azure_guest, {f"x-ms-azurevm-{name}": value}, "warning", "policy.issuer-status")
            for name, value in (
                ("kerneldebug-enabled", True),
                ("testsigning-enabled", True),
                ("debuggersdisabled", False),
                ("dbxvalidated", False),
                ("signingdisabled", None),
            )
        ),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)[:50]),
)
def test_what_speaks_against_a_machine(
    claims: Claims, change: Members, status: str, check: str
) -> None:
    verdict = verify(maa.sign(claims() | change), issuers=ISSUERS)
    assert verdict.status == status
    assert [finding.check for finding in verdict.reasons] == [check]


def test_what_a_guest_token_leaves_out() -> None:
    """Its system's claims depend on its boot log; that of Edgeless has no word of secure boot."""
    claims = {n: v for n, v in maa.azure_guest().items() if not n.startswith("x-ms-azurevm-")}
    assert verify(maa.sign(claims), issuers=ISSUERS).status == "affirming"
    claims = without(maa.azure_guest(), "secureboot")
    assert verify(maa.sign(claims), issuers=ISSUERS).status == "warning"


def test_a_guest_on_tdx() -> None:
    claims = maa.azure_guest() | {"x-ms-isolation-tee": maa.tdx() | maa.runtime()}
    verdict = verify(
        maa.sign(claims), issuers=ISSUERS, expected=Expected(report_data=maa.USER_DATA)
    )
    assert (verdict.tee_type, verdict.status) == (TeeType.INTEL_TDX, "affirming")
    assert verdict.environments[0].measurements["mrtd"] == maa.MEASUREMENT.hex()


def test_a_guest_that_no_hardware_vouches_for() -> None:
    """A machine of Trusted Launch: authentic, and no trusted execution environment."""
    claims = without(maa.azure_guest(), "x-ms-isolation-tee")
    verdict = verify(maa.sign(claims), issuers=ISSUERS, expected=Expected(bytes(range(8))))
    assert (verdict.tee_type, verdict.status) == (TeeType.NONE, "contraindicated")
    assert any("no hardware vouches" in reason.detail for reason in verdict.reasons)
    expected = Expected(report_data=maa.USER_DATA)
    assert refused(claims, expected)[0] == "evidence.binding"


def test_the_nonce_in_any_encoding() -> None:
    nonce = bytes(range(8))
    for text in ("AAECAwQFBgc", "AAECAwQFBgc=", nonce.hex()):
        token = maa.sign(maa.sev_snp_vm() | {"nonce": text})
        assert verify(token, issuers=ISSUERS, expected=Expected(nonce)).nonce == text
    verify(maa.sign(maa.azure_guest()), issuers=ISSUERS, expected=Expected(nonce))
    for text in ("AAECAwQFBgd", "", "AAECAwQFBgc==", nonce.hex() + "00"):
        claims = maa.sev_snp_vm() | {"nonce": text}
        assert refused(claims, Expected(nonce))[0] == "token.nonce"
    check, why = refused(maa.tdx_vm(), Expected(nonce))
    assert check == "token.nonce"
    assert "no nonce at all" in why


def test_what_the_evidence_is_bound_to() -> None:
    """With a paravisor, the user data in its claims; without one, the report data."""
    for claims, bound in (
        (maa.sev_snp_vm, maa.USER_DATA),
        (maa.azure_guest, maa.USER_DATA),
        (maa.tdx_vm, maa.REPORT_DATA),
    ):
        expected = Expected(report_data=bound)
        verify(maa.sign(claims()), issuers=ISSUERS, expected=expected)
        other = Expected(report_data=bytes(64))
        assert refused(claims(), other)[0] == "evidence.binding"
    assert refused(maa.sev_snp_vm(), Expected(report_data=maa.REPORT_DATA))[0] == (
        "evidence.binding"
    )
    bare = {"tdx_report_data": None}
    assert refused(maa.tdx_vm() | bare, Expected(report_data=bytes(64)))[0] == "evidence.binding"


def test_demands_that_do_not_fit() -> None:
    with pytest.raises(InvalidArgumentError, match="only NRAS"):
        verify(maa.sign(maa.tdx_vm()), issuers=ISSUERS, expected=Expected(device_serials=(1,)))


@pytest.mark.parametrize(
    "change",
    [
        {"exp": 1.5},
        {"exp": None},
        {"exp": "1772330000"},
        {"iat": True},
        {"iat": -1},
        {"nbf": 1e300},
        {"aud": 5},
        {"aud": [5]},
        {"aud": ["a"] * 17},
    ],
    ids=repr,
)
def test_malformed_times_and_audiences(change: Members) -> None:
    assert refused(maa.tdx_vm() | change)[0] == "token.format"


def test_without_times() -> None:
    assert refused(without(maa.tdx_vm(), "iat"))[0] == "token.format"


def test_a_life_that_is_too_long() -> None:
    claims = maa.tdx_vm()
    assert refused(claims | {"exp": claims["iat"] + 86_401})[0] == "token.time"
    verify(maa.sign(claims | {"exp": claims["iat"] + 86_400}), issuers=ISSUERS)
    short = Issuer("ours", TokenKind.MAA, INSTANCE.names, INSTANCE.keys, lifetime=28_799)
    assert rejected(maa.sign(claims), issuers=[short])[0] == "token.time"


def test_the_leeway_is_the_issuers() -> None:
    exact = Issuer("ours", TokenKind.MAA, INSTANCE.names, INSTANCE.keys, leeway=0)
    early = AT - timedelta(seconds=1)
    verify(maa.sign(maa.tdx_vm()), issuers=ISSUERS, at=early)
    assert rejected(maa.sign(maa.tdx_vm()), issuers=[exact], at=early)[0] == "token.time"


def test_an_audience_in_a_list() -> None:
    token = maa.sign(maa.tdx_vm() | {"aud": ["us", "them"]})
    assert verify(token, issuers=ISSUERS, expected=Expected(audience="us")).audience == "us, them"
    assert rejected(token, issuers=ISSUERS, expected=Expected(audience="us, them"))[0] == (
        "token.audience"
    )


def test_every_change_is_rejected() -> None:
    for changed in cuts_and_flips(maa.sign(maa.sev_snp_vm()), 11):
        assert survives(changed, issuers=ISSUERS) is None


@pytest.mark.weekly
@each_kind
def test_every_bit_of_a_token(claims: Claims) -> None:
    for changed in cuts_and_flips(maa.sign(claims())):
        assert survives(changed, issuers=ISSUERS) is None


def test_what_a_client_sent_along_is_not_bound_to_the_hardware() -> None:
    claims = maa.azure_guest()
    claims["x-ms-runtime"] |= {"user-data": "cc" * 64}
    expected = Expected(report_data=bytes.fromhex("cc" * 64))
    assert refused(claims, expected)[0] == "evidence.binding"
    verify(maa.sign(claims), issuers=ISSUERS, expected=Expected(report_data=maa.USER_DATA))
