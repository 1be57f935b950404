"""`verify` and its options: policies, roots, and files that are too large or unreadable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from wasmtime_attestation.endorsements.x509 import der, pem

from tests.cli.tool import Outcome, run, run_process
from tests.fakes import certificates
from tests.fakes.amd import MILAN
from tests.fakes.token import Forger

AT = ("--at", "2026-03-01T00:00:10Z")
MEASUREMENT = bytes(range(48)).hex()
POLICY = f"""
schema = 1
name = "ours"
accept = ["simulated"]
[snp]
measurements = ["{MEASUREMENT}"]
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    """A file of 1 GiB that takes no room."""
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    return path


def verify(token: Path, *options: str | Path) -> Outcome:
    return run("verify", token, *AT, *options)


def test_a_policy_from_a_file(root: Path, token: Path, policy: Path) -> None:
    outcome = verify(token, "--trust", root, "--policy", policy)
    assert outcome.code == 0
    assert "SIMULATED, authentic, warning under ours" in outcome.out
    policy.write_text(POLICY.replace(MEASUREMENT, "00" * 48))
    outcome = verify(token, "--trust", root, "--policy", policy)
    assert outcome.code == 5
    assert "policy.measurement" in outcome.err


@pytest.mark.parametrize("accept", ["[]", '["amd-sev-snp"]'])
def test_simulated_evidence_is_not_hardware(
    root: Path, token: Path, policy: Path, accept: str
) -> None:
    policy.write_text(POLICY.replace('["simulated"]', accept))
    outcome = verify(token, "--trust", root, "--policy", policy)
    assert outcome.code == 5
    assert outcome.err.splitlines()[0].startswith("SIMULATED")
    assert "policy: policy.accept: the evidence is simulated" in outcome.err


@pytest.mark.parametrize(
    "text",
    [
        "",
        "schema = 2",
        "schema = 1\nunknown = 1",
        "schema = 1\naccept = [1]",
        "schema = 1\naccept = ['every-tee']",
        "schema = 1\n[snp]\nmeasurements = ['00']",
        "schema = 1\n[snp]\nmeasurements = ['xx']",
        "schema = ",
        "\0",
        "a = " + "[" * 100_000,
        "schema = 1\nschema = 1",
        "schema = 1979-05-27",
    ],
)
def test_a_policy_that_is_none(root: Path, token: Path, policy: Path, text: str) -> None:
    policy.write_text(text)
    outcome = verify(token, "--trust", root, "--policy", policy)
    assert outcome.code == 2
    assert outcome.err.startswith(f"invalid-argument: policy {policy}:")
    assert outcome.out == ""


def test_a_policy_in_another_encoding(root: Path, token: Path, policy: Path) -> None:
    policy.write_bytes(POLICY.encode("utf-16"))
    assert verify(token, "--trust", root, "--policy", policy).code == 2


@pytest.mark.parametrize("name", ["hardware-onl", "", ".", "Hardware-Only", "a" * 5000, "\udcff"])
def test_a_policy_that_does_not_exist(root: Path, token: Path, name: str) -> None:
    outcome = verify(token, "--trust", root, "--policy", name)
    assert outcome.code == 2
    assert "a policy is a file or a preset (hardware-only, strict" in outcome.err


GARBAGE = [
    b"",
    b"hello",
    b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    b"\0" * 9,
]


@pytest.mark.parametrize("data", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.parametrize("option", ["--trust", "--endorsements"])
def test_garbage_instead_of_certificates(
    token: Path, tmp_path: Path, option: str, data: bytes
) -> None:
    path = tmp_path / "garbage"
    path.write_bytes(data)
    outcome = verify(token, option, path)
    assert outcome.code == 2
    assert outcome.err.startswith(f"invalid-argument: {path}: ")
    assert outcome.out == ""


def test_a_root_is_a_certificate(token: Path, tmp_path: Path) -> None:
    path = tmp_path / "crl"
    ark = MILAN.amd.ark
    path.write_bytes(der(certificates.crl(ark.certificate, ark.key)))
    outcome = verify(token, "--trust", path)
    assert outcome.code == 2
    assert f"--trust {path}: there is no certificate in it" in outcome.err


def test_a_root_may_be_in_der_and_among_others(token: Path, tmp_path: Path) -> None:
    path = tmp_path / "root.der"
    path.write_bytes(der(MILAN.amd.ark.certificate))
    other = tmp_path / "other.pem"
    other.write_bytes(pem(MILAN.chain()[1]))
    assert verify(token, "--trust", other, "--trust", path).code == 0


def test_a_trusted_root_is_no_endorsement(root: Path, tmp_path: Path) -> None:
    """A root that comes only with --endorsements proves nothing."""
    host = Forger()
    path = tmp_path / "token"
    path.write_text(host.token())
    assert verify(path, "--endorsements", root).code == 4


def test_a_gibibyte_is_refused_at_once(root: Path, token: Path, sparse: Path) -> None:
    outcome = verify(sparse, "--trust", root)
    assert outcome.code == 4
    assert "the input is larger than 4194304 bytes" in outcome.err
    for option in ("--endorsements", "--trust", "--policy"):
        outcome = verify(token, option, sparse)
        assert outcome.code == 2
        assert f"{sparse} has more than 1048576 bytes" in outcome.err


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device without an end")
@pytest.mark.parametrize("option", ["--endorsements", "--trust", "--policy"])
def test_a_device_without_an_end(token: Path, option: str) -> None:
    assert verify(token, option, "/dev/zero").code == 2
    assert verify(Path("/dev/zero")).code == 4


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that fails to read")
@pytest.mark.parametrize("option", ["--endorsements", "--trust", "--policy"])
def test_a_file_that_cannot_be_read(token: Path, option: str) -> None:
    for outcome in (verify(token, option, "/proc/self/mem"), verify(Path("/proc/self/mem"))):
        assert outcome.code == 2
        assert "/proc/self/mem cannot be read: Input/output error" in outcome.err


@pytest.mark.parametrize("option", ["--endorsements", "--trust", "--policy"])
def test_a_file_that_is_not_there(token: Path, tmp_path: Path, option: str) -> None:
    assert verify(token, option, tmp_path / "absent").code == 2
    assert verify(tmp_path / "absent").code == 2


def test_a_folder_is_no_input(token: Path, tmp_path: Path) -> None:
    assert verify(tmp_path).code == 2
    assert verify(token, "--trust", tmp_path).code == 2
    assert verify(token, "--policy", tmp_path).code == 2


def test_a_folder_of_endorsements_may_hold_other_files(root: Path, token: Path) -> None:
    """The folder holds the token and the root."""
    assert verify(token, "--trust", root, "--endorsements", token.parent).code == 0


def test_a_folder_without_endorsements(token: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for _ in range(2):
        outcome = verify(token, "--endorsements", folder)
        assert outcome.code == 2
        assert "no certificate, revocation list or collateral in it" in outcome.err
        (folder / "README").write_text("nothing here")


def test_endorsements_are_bounded(token: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(1001):
        (folder / str(number)).write_bytes(b"")
    assert "has more than 1000 files" in verify(token, "--endorsements", folder).err
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(pem(MILAN.chain()[0]) * 65)
    assert "more than 64 PEM blocks" in verify(token, "--endorsements", bundle).err


def test_offline_changes_nothing_where_nothing_is_missing(root: Path, token: Path) -> None:
    online = verify(token, "--trust", root)
    assert verify(token, "--trust", root, "--offline") == online
    assert online.code == 0


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("2026-03-01T00:00:00", "it needs a time zone"),
        ("2026-03-01", "it needs a time zone"),
        ("now", "it is not like 2026-03-01T00:00:00Z"),
        ("1772323200", "it is not like 2026-03-01T00:00:00Z"),
        ("", "it is not like 2026-03-01T00:00:00Z"),
        ("2026-02-30T00:00:00Z", "it is not like 2026-03-01T00:00:00Z"),
        ("0001-01-01T00:00:00+14:00", "it is not like 2026-03-01T00:00:00Z"),
        ("9999-12-31T23:59:59-14:00", "it is not like 2026-03-01T00:00:00Z"),
    ],
)
def test_an_instant_that_is_none(token: Path, at: str, says: str) -> None:
    outcome = run("verify", token, "--at", at)
    assert outcome.code == 2
    assert says in outcome.err


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--nonce", "00" * 7, "7 bytes"),
        ("--nonce", "00" * 65, "65 bytes"),
        ("--nonce", "", "0 bytes"),
        ("--nonce", "0", "hex"),
        ("--nonce", "zz" * 8, "hex"),
        ("--nonce", "é" * 8, "hex"),
        ("--report-data", "00" * 63, "63 bytes"),
        ("--max-age", "-1", "range"),
        ("--max-age", "1.5", "integer"),
    ],
)
def test_an_option_that_is_malformed(token: Path, option: str, value: str, says: str) -> None:
    outcome = run("verify", token, option, value)
    assert outcome.code == 2
    assert says in outcome.err


def test_a_file_name_that_is_no_text(root: Path, token: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(token) + b"\xff"))
    path.write_bytes(token.read_bytes())
    outcome = run_process("verify", path, "--trust", root, *AT)
    assert outcome.code == 0
    assert "\\udcff: evidence-token" in outcome.out
