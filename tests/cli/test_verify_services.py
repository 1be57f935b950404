"""`verify` with tokens of services: whom it trusts is on the command line, never in the token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import vectors
from tests.cli.tool import Outcome, run
from tests.fakes import ita, maa, nras, trustee
from tests.fakes.jose import jwks
from tests.fakes.token import encode, serialise

AT = ("--at", "2026-03-01T00:00:10Z")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Keys of every service, and files that describe those that must be described."""
    (tmp_path / "nras.json").write_bytes(nras.keys())
    (tmp_path / "ita.json").write_bytes(ita.keys())
    (tmp_path / "maa.json").write_bytes(maa.keys())
    (tmp_path / "ear.json").write_bytes(jwks(trustee.TRUSTEE.jwk))
    (tmp_path / "maa.toml").write_text(f'kind = "maa"\niss = ["{maa.ISSUER}"]\njwks = "maa.json"')
    (tmp_path / "ear.toml").write_text('kind = "ear"\njwks = "ear.json"\n')
    return tmp_path


def verify(token: bytes | str, *arguments: str | Path) -> Outcome:
    data = token if isinstance(token, bytes) else token.encode()
    return run("verify", "-", *AT, *arguments, stdin=data)


def report(token: bytes | str, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    outcome = verify(token, "--json", *arguments)
    return outcome.code, json.loads(outcome.out)


def outcomes(members: dict[str, Any]) -> dict[str, str]:
    return {check["id"]: check["outcome"] for check in members["checks"]}


def test_the_real_answer_of_nvidia() -> None:
    code, members = report(vectors.read("nvidia/nvsdk_hopperClaimsv3_detached_eat.json"))
    assert (code, members["outcome"]) == (6, "unavailable")
    details = {check["id"]: check["detail"] for check in members["checks"]}
    assert outcomes(members)["nras.digests"] == "passed"
    assert (
        "GPU-0 d7c2a949a5c69bff1a12de3da0c9a23bc966041b811b99a89dfe44c2dde8c37c"
        in (details["nras.digests"])
    )
    assert "give its JWKS" in details["token.key"]


def test_well_known_services_need_their_keys_alone(folder: Path) -> None:
    for token, keys, kind in (
        (nras.answer(), "nras.json", "nras"),
        (ita.SIGNER.sign(ita.version_2()), "ita.json", "ita"),
    ):
        code, members = report(token, "--endorsements", folder / keys)
        assert (code, members["outcome"], members["input"]["kind"]) == (0, "verified", kind)
        assert members["claims"]["status"] == "affirming"
        assert members["appraisal"] is None
        assert report(token)[0] == 6


def test_nvidias_answer_as_a_guest_gets_it(folder: Path) -> None:
    """`printf %s "$TOKEN" | wasmtime-attestation verify -`: the whole answer in one text."""
    compact = json.dumps(json.loads(nras.answer()), separators=(",", ":")).encode()
    keys = ("--endorsements", folder / "nras.json", "--nonce", nras.NONCE.hex())
    code, members = report(encode(compact), *keys)
    assert (code, members["outcome"], members["input"]["kind"]) == (0, "verified", "nras")
    assert outcomes(members)["nras.digests"] == "passed"
    code, members = report(encode(compact)[:-8], *keys)
    assert (code, members["outcome"]) == (4, "rejected")


def test_others_are_described_in_a_file(folder: Path) -> None:
    for token, name, issuer in (
        (maa.sign(maa.azure_guest()), "maa.toml", maa.ISSUER),
        (trustee.sign_former(trustee.former()), "ear.toml", "ear"),
    ):
        code, members = report(token, "--issuer", folder / name)
        assert (code, members["claims"]["issuer"]) == (0, issuer)
        code, members = report(token, "--endorsements", folder)
        assert (code, outcomes(members)["token.issuer"]) == (4, "failed")


def test_a_token_in_a_services_answer(folder: Path) -> None:
    answer = serialise({"token": maa.sign(maa.tdx_vm())})
    assert verify(answer, "--issuer", folder / "maa.toml").code == 0


def test_the_verdict(folder: Path) -> None:
    _, members = report(maa.sign(maa.sev_snp_vm()), "--issuer", folder / "maa.toml")
    claims = members["claims"]
    assert list(claims)[:4] == ["kind", "issuer", "tee_type", "status"]
    assert claims["tee_type"] == "amd-sev-snp"
    assert claims["nonce"] == "AAECAwQFBgc"
    assert claims["token"] == maa.sev_snp_vm()
    (environment,) = claims["environments"]
    assert environment["measurements"]["measurement"] == maa.MEASUREMENT.hex()
    assert environment["report_data"] == maa.REPORT_DATA.hex()


def test_expectations(folder: Path) -> None:
    token, issuer = maa.sign(maa.sev_snp_vm()), ("--issuer", folder / "maa.toml")
    right = ("--nonce", "0001020304050607", "--max-age", "10", "--report-data")
    assert verify(token, *issuer, *right, maa.USER_DATA.hex()).code == 0
    assert verify(token, *issuer, *right, "00" * 64).code == 4
    assert verify(token, *issuer, "--nonce", "00" * 8).code == 4
    assert verify(token, *issuer, "--max-age", "9").code == 4
    assert verify(token, *issuer, "--audience", "us").code == 4


def test_a_service_that_says_no(folder: Path) -> None:
    """The token is authentic, so it is not rejected; and no policy makes a yes of it."""
    answer = nras.answer({"GPU-0": nras.device() | {"measres": "fail"}}, result=False)
    keys = ("--endorsements", folder / "nras.json")
    code, members = report(answer, *keys)
    assert (code, members["outcome"]) == (5, "policy")
    assert members["claims"]["status"] == "contraindicated"
    assert "measres" in json.dumps(members["appraisal"]["findings"])
    outcome = verify(answer, *keys)
    assert "CONTRAINDICATED by its issuer" in outcome.out


def test_a_device_whose_evidence_was_refused(folder: Path) -> None:
    answer = nras.answer({"GPU-0": nras.failed(4010, "NONCE_NOT_MATCHING")}, result=False)
    outcome = verify(answer, "--endorsements", folder / "nras.json")
    assert outcome.code == 4
    assert "error 4010: the evidence answers another nonce" in outcome.out


def policy(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(f"schema = 1\n{text}")
    return path


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('accept = ["amd-sev-snp"]', 0),
        ("", 5),
        ('accept = ["intel-tdx"]', 5),
        (f'accept = ["amd-sev-snp"]\n[snp]\nmeasurements = ["{maa.MEASUREMENT.hex()}"]', 0),
        (f'accept = ["amd-sev-snp"]\n[snp]\nmeasurements = ["{"00" * 48}"]', 5),
        ('accept = ["amd-sev-snp"]\n[snp]\nmeasurements = []', 5),
        (f'accept = ["amd-sev-snp"]\n[snp]\nhost-data = ["{"11" * 32}"]', 0),
        (f'accept = ["amd-sev-snp"]\n[snp]\nchip-ids = ["{"11" * 64}"]', 5),
        ('accept = ["amd-sev-snp"]\n[snp]\nvmpl = [1]', 5),
        ('accept = ["amd-sev-snp"]\n[snp]\nminimum-guest-svn = 1', 5),
        ('accept = ["amd-sev-snp"]\n[snp]\nrequire-revocation-check = true', 5),
        (f'accept = ["amd-sev-snp"]\nissuers = ["{maa.ISSUER}"]', 0),
        ('accept = ["amd-sev-snp"]\nissuers = ["https://other.example"]', 5),
        ('accept = ["amd-sev-snp"]\nmaximum-age-seconds = 10', 0),
        ('accept = ["amd-sev-snp"]\nmaximum-age-seconds = 9', 5),
        ('accept = ["amd-sev-snp"]\n[azure]\nrequire-secure-boot = true', 5),
        (f'accept = ["amd-sev-snp"]\nguest-digests = ["{"11" * 32}"]', 5),
    ],
)
def test_a_policy(folder: Path, text: str, code: int) -> None:
    token, file = maa.sign(maa.sev_snp_vm()), policy(folder, text)
    outcome = verify(token, "--issuer", folder / "maa.toml", "--policy", file)
    assert outcome.code == code, outcome.out


@pytest.mark.parametrize(
    ("change", "text", "code"),
    [
        ({}, "", 0),
        ({}, f'mrtd = ["{maa.MEASUREMENT.hex()}"]\nrtmr1 = ["{"01" * 48}"]', 0),
        ({}, f'mrtd = ["{"00" * 48}"]', 5),
        ({}, f'fmspc = ["{"00" * 6}"]', 5),
        ({"attester_tcb_status": "OutOfDate"}, "", 5),
        ({"attester_tcb_status": "OutOfDate"}, 'tcb-statuses = ["OutOfDate"]', 0),
        ({}, 'denied-advisories = ["INTEL-SA-00837"]', 5),
        ({"tdx_td_attributes": "0000000000000000"}, "", 5),
        ({"tdx_td_attributes": "0000000000000000"}, "require-sept-ve-disable = false", 0),
        ({"tdx_td_attributes": "0000003000000000"}, "", 5),
        ({"tdx_td_attributes": "0000003000000000"}, "allow-migration = true", 0),
        ({"tdx_td_attributes": "0000001000000001"}, "", 5),
        ({"tdx_td_attributes": "0000001000000001"}, "allow-reserved-attributes = true", 0),
        ({"tdx_td_attributes": "8000001000000000"}, "unsafe-allow-debug = true", 5),
    ],
    ids=str,
)
def test_a_policy_for_tdx(folder: Path, change: dict[str, Any], text: str, code: int) -> None:
    token = maa.sign(maa.tdx_vm() | change)
    file = policy(folder, f'accept = ["intel-tdx"]\n[tdx]\n{text}')
    outcome = verify(token, "--issuer", folder / "maa.toml", "--policy", file)
    assert outcome.code == code, outcome.out


def test_a_verifier_that_did_not_appraise_meets_no_policy(folder: Path) -> None:
    token = trustee.sign_former(trustee.former("none"))
    issuer = ("--issuer", folder / "ear.toml")
    assert verify(token, *issuer).code == 0
    file = policy(folder, 'accept = ["intel-tdx"]')
    assert verify(token, *issuer, "--policy", file).code == 5


def test_simulated_evidence_behind_a_token_meets_no_policy(folder: Path) -> None:
    claims = trustee.former()
    claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"] = {"sample": {}}
    outcome = verify(trustee.sign_former(claims), "--issuer", folder / "ear.toml")
    assert outcome.code == 5
    assert "SIMULATED" in outcome.out


def test_the_name_of_a_part_cannot_pose_as_a_line(folder: Path) -> None:
    claims = trustee.former("contraindicated", {"hardware": 97})
    claims["submods"] = {f"a\n{' ' * 90}result   fine": claims["submods"]["cpu0"]}
    outcome = verify(trustee.sign_former(claims), "--issuer", folder / "ear.toml")
    assert outcome.code == 5
    assert "a\\n result fine: the issuer" in outcome.out
    assert "  result   fine" not in outcome.out.replace('"', "")


def test_issuers_that_cannot_be_used(folder: Path) -> None:
    token = maa.sign(maa.tdx_vm())
    (folder / "broken.toml").write_text('kind = "maa"')
    (folder / "keyless.toml").write_text(f'kind = "maa"\niss = ["{maa.ISSUER}"]\njwks = "no.json"')
    for arguments in (
        ("--issuer", folder / "broken.toml"),
        ("--issuer", folder / "keyless.toml"),
        ("--issuer", folder / "absent.toml"),
        ("--issuer", folder / "maa.toml", "--issuer", folder / "maa.toml"),
    ):
        assert verify(token, *arguments).code == 2


def test_inspect_shows_keys() -> None:
    outcome = run("inspect", "-", "--json", stdin=nras.keys())
    (key,) = json.loads(outcome.out)["keys"]
    assert (key["kid"], key["algorithms"]) == (nras.SIGNER.key_id, ["ES384"])
    assert key["certificates"][1]["spki_sha256"] == nras.PIN.hex()


def test_inspect_shows_a_services_token() -> None:
    outcome = run("inspect", "-", "--json", stdin=maa.sign(maa.tdx_vm()).encode())
    assert outcome.code == 0
    assert json.loads(outcome.out)["payload"] == maa.tdx_vm()
    outcome = run("inspect", "-", "--json", stdin=nras.answer())
    assert outcome.code == 0
    members = json.loads(outcome.out)
    assert members["payload"]["x-nvidia-ver"] == "3.0"
    assert members["submodules"]["GPU-0"]["payload"]["ueid"] == str(nras.SERIAL)


def test_settings_that_the_token_states(folder: Path) -> None:
    """Sharing a core, and an agent that may move the machine."""
    for change, setting, code in (
        ({"x-ms-sevsnpvm-smt-allowed": True}, "allow-smt = false", 5),
        ({"x-ms-sevsnpvm-smt-allowed": False}, "allow-smt = false", 0),
        ({"x-ms-sevsnpvm-migration-allowed": True}, "", 5),
        ({"x-ms-sevsnpvm-migration-allowed": True}, "allow-migration-agent = true", 0),
    ):
        token = maa.sign(maa.sev_snp_vm() | change)
        file = policy(folder, f'accept = ["amd-sev-snp"]\n[snp]\n{setting}')
        outcome = verify(token, "--issuer", folder / "maa.toml", "--policy", file)
        assert outcome.code == code, outcome.out
