"""Which kind of token a guest gets: the order that is written down, and what ends it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from wasmtime_attestation import wit
from wasmtime_attestation.errors import (
    AttestationError,
    DeniedError,
    Finding,
    InternalError,
    PolicyError,
    RejectedError,
    UnavailableError,
    UnsupportedError,
)
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.issuing import Issued, Order
from wasmtime_attestation.issuing.fall_back import FallBack
from wasmtime_attestation.verifier.issuers import Issuer

from tests.cli.tool import run, run_process
from tests.example_guests import cpp_reporter
from tests.fakes import jose

ORDER = Order(wit.TargetVm())
GOOD = Issued("token", 1, 2, Evidence(EvidenceType.INTEL_TDX, b""), "good")


class Scripted:
    """A source that does what it is told."""

    def __init__(self, kind: str, outcome: Issued | AttestationError) -> None:
        self.kind = kind
        self.issuers: tuple[Issuer, ...] = ()
        self.asked = 0
        self._outcome = outcome

    def learn_keys(self) -> None:
        """Has none to learn."""

    def issue(self, order: Order) -> Issued:
        """Ends as it was told."""
        assert order == ORDER
        self.asked += 1
        if isinstance(self._outcome, AttestationError):
            raise self._outcome
        return self._outcome


@pytest.mark.parametrize("error", [UnavailableError("away"), UnsupportedError("no such thing")])
def test_the_next_one_is_tried_and_the_log_says_why(
    error: AttestationError, caplog: pytest.LogCaptureFixture
) -> None:
    assert FallBack([Scripted("maa", error), Scripted("good", GOOD)]).issue(ORDER) is GOOD
    assert f"no token of kind maa: {error.message}" in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        RejectedError.of("service.evidence", "no"),
        PolicyError([Finding("policy.debug", "no")]),
        DeniedError("no"),
        InternalError("no"),
    ],
)
def test_a_no_is_the_answer(error: AttestationError) -> None:
    other = Scripted("good", GOOD)
    with pytest.raises(type(error)):
        FallBack([Scripted("maa", error), other]).issue(ORDER)
    assert other.asked == 0


def test_the_error_has_every_reason() -> None:
    away, never = UnavailableError("away"), UnsupportedError("never")
    with pytest.raises(UnavailableError, match=r"^maa: away; ita: never$"):
        FallBack([Scripted("maa", away), Scripted("ita", never)]).issue(ORDER)
    with pytest.raises(UnsupportedError, match=r"^never$"):
        FallBack([Scripted("maa", never), Scripted("ita", never)]).issue(ORDER)


@pytest.fixture
def verifier(tmp_path: Path) -> Path:
    """A configuration of a host that is a Verifier itself; an issuer's file is beside it."""
    key = jose.p384(78)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "ear.pem").write_bytes(private)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "public.pem").write_bytes(public)
    (tmp_path / "issuer.toml").write_text('kind = "ear"\njwks = "public.pem"\n')
    file = tmp_path / "host.toml"
    text = '[host]\ntee = "simulated"\ntokens = ["ear"]\near-key = "ear.pem"\n'
    file.write_text(f"schema = 1\n{text}")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("name", ["cpp-reporter.wasm", "cpp-reporter-component.wasm"])
def test_a_result_about_a_simulation_is_a_no(verifier: Path, name: str) -> None:
    guest = cpp_reporter().with_name(name)
    outcome = run_process("run", "--config", verifier, guest, "--require")
    assert outcome.code == 1, outcome.err
    assert "not attested: " in outcome.out
    assert "hardware 97" in outcome.out
    outcome = run("attest", "vm", "--config", verifier)
    assert (outcome.code, outcome.out) == (5, "")
    # What is not written down is not tried, and what an option says counts.
    assert run("attest", "vm", "--config", verifier, "--token", "evidence").code == 0


def test_a_key_that_cannot_sign(verifier: Path) -> None:
    verifier.with_name("ear.pem").write_text("none")
    outcome = run("attest", "vm", "--config", verifier)
    assert outcome.code == 2
    assert f"ear-key {verifier.with_name('ear.pem')}: it is no private key" in outcome.err


def test_two_that_cannot_be_told_apart(verifier: Path) -> None:
    text = verifier.read_text() + 'issuers = ["issuer.toml"]\n'
    verifier.write_text(text)
    outcome = run("attest", "vm", "--config", verifier)
    assert outcome.code == 2
    assert "cannot be told apart" in outcome.err


def test_who_asks_nobody_does_not_wait_for_http() -> None:
    code = (
        "import sys; from wasmtime_attestation.cli import run, attest; "
        "from wasmtime_attestation.cli import configured, hosting; "
        "hosting.start(configured.load(None, tee='none')).start(); "
        "print(sorted({'httpx', 'pynvml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_rules_and_journal_are_in_force(tmp_path: Path) -> None:
    file = tmp_path / "host.toml"
    text = '[host]\ntee = "simulated"\n[journal]\ndirectory = "log"\n'
    file.write_text(f'schema = 1\n{text}[guests.default]\nfunctions = ["detect-tee"]\n')
    file.chmod(0o600)
    (tmp_path / "log").mkdir(mode=0o700)
    outcome = run_process("run", "--config", file, cpp_reporter(), "--require")
    assert outcome.code == 1, outcome.err
    assert "not attested: " in outcome.out
    shown = run("journal", "verify", tmp_path / "log")
    assert shown.code == 0, shown.err


def test_a_journals_key_is_attested_whatever_guests_get(verifier: Path) -> None:
    log = verifier.with_name("log")
    log.mkdir(mode=0o700)
    outcome = run("attest", "vm", "--config", verifier, "--journal", log)
    assert outcome.code == 5  # a result about a simulation; the journal's token is evidence
    assert run("journal", "verify", log).code == 0
    assert '"attestation"' in "".join(f.read_text() for f in log.iterdir() if f.suffix == ".jsonl")
