"""`verify` and `endorsements fetch` against services that fail: 6, in time, and then it works."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from wasmtime_attestation.endorsements.x509 import der, pem

from tests.cli.tool import Outcome, run
from tests.emulation.vendors import Vendors
from tests.emulation.web import WebAuthority, WebRequest, answer
from tests.fakes import amd, certificates, intel
from tests.fakes.amd import AT, MILAN
from tests.tools import missing, require

SECONDS = 1.0
SOURCE = "wasmtime_attestation.endorsers.source"


class Client:
    """A relying party with files, a cache and vendors that a test can spoil."""

    def __init__(self, folder: Path, vendors: Vendors) -> None:
        self.vendors = vendors
        self.evidence, self.root = folder / "evidence", folder / "root.pem"
        self.bundle = folder / "bundle"
        self.take(MILAN.report(), pem(MILAN.amd.ark.certificate))

    def take(self, evidence: bytes, root: bytes) -> None:
        self.evidence.write_bytes(evidence)
        self.root.write_bytes(root)

    @property
    def arguments(self) -> tuple[str | Path, ...]:
        return "verify", self.evidence, "--at", AT.isoformat(), "--trust", self.root

    def verify(self, *options: str) -> Outcome:
        return run(*self.arguments, *options)

    def fetch(self) -> Outcome:
        at = AT.isoformat()
        return run("endorsements", "fetch", self.evidence, "-o", self.bundle, "--at", at)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(f"{SOURCE}.QUESTION_SECONDS", SECONDS)
    with Vendors(tmp_path) as vendors:
        for name, value in vendors.environment().items():
            monkeypatch.setenv(name, value)
        yield Client(tmp_path, vendors)


def _huge(request: WebRequest) -> bytes:
    del request
    return b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n" + b"x" * 100_000


def _hang(request: WebRequest) -> bytes:
    del request
    time.sleep(SECONDS * 3)
    return b""


def _constant(data: bytes) -> Callable[[WebRequest], bytes]:
    return lambda _: data


FAULTS: dict[str, tuple[Callable[[WebRequest], bytes], str]] = {
    "hanging": (_hang, "no whole answer within 1 seconds"),
    "415": (_constant(answer("415 Unsupported Media Type")), "HTTP 415"),
    "429": (_constant(answer("429 x", retry_after="3600")), "HTTP 429, to be asked again after"),
    "500": (_constant(answer("500 x", b"oops")), "HTTP 500 (oops)"),
    "503": (_constant(answer("503 x")), "HTTP 503"),
    "a gigabyte": (_huge, "larger than 1048576 bytes"),
    "a bomb": (
        _constant(answer("200 OK", gzip.compress(bytes(1 << 24)), content_encoding="gzip")),
        "compressed",
    ),
    "another host": (
        _constant(answer("302 x", location="https://169.254.169.254/")),
        "redirects to another host",
    ),
    "a loop": (_constant(answer("302 x", location="/again")), "redirects more than"),
    "a sign-in page": (_constant(answer("200 OK", b"<html>")), "answers something else"),
    "nothing": (_constant(b""), "cannot be reached"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_service_that_fails(fault: str, client: Client) -> None:
    client.vendors.override, says = FAULTS[fault]
    began = time.monotonic()
    outcome, fetched = client.verify(), client.fetch()
    assert time.monotonic() - began < 4 * SECONDS + 2
    assert (outcome.code, fetched.code) == (6, 6)
    assert says in outcome.err
    assert says in fetched.err
    assert "the VCEK of Milan" in outcome.err

    client.vendors.override = None
    assert client.verify().code == 0
    assert client.fetch().code == 0


def test_one_thing_that_is_missing_does_not_hold_up_the_rest(client: Client) -> None:
    client.take(intel.PLATFORM.quote(), pem(intel.PLATFORM.root))
    client.vendors.override = lambda request: (
        answer("500 x") if "pckcrl" in request.target else None
    )
    outcome = client.fetch()
    assert outcome.code == 6
    (line,) = (line for line in outcome.err.splitlines() if line.startswith("missing: "))
    assert line == (
        "missing: the revocation list of Intel SGX PCK Platform CA: "
        f"{client.vendors.url}/sgx/certification/v4/pckcrl?ca=platform&encoding=der: "
        "it answers HTTP 500"
    )
    verified = client.verify("--offline", "--endorsements", str(client.bundle))
    assert verified.code == 6
    assert "intel.pck-crl" in verified.err
    client.vendors.override = None
    assert client.fetch().code == 0
    assert client.verify("--offline", "--endorsements", str(client.bundle)).code == 0


def test_a_service_that_is_down_and_a_warm_cache(client: Client) -> None:
    client.take(intel.PLATFORM.quote(), pem(intel.PLATFORM.root))
    assert client.verify().code == 0
    client.vendors.__exit__()
    assert client.verify().code == 0
    assert client.fetch().code == 0
    assert client.verify("--offline").code == 0


def test_a_service_that_is_down_and_a_cold_cache(client: Client) -> None:
    client.take(intel.PLATFORM.quote(), pem(intel.PLATFORM.root))
    client.vendors.__exit__()
    outcome = client.verify()
    assert outcome.code == 6
    assert "intel.tcb-info" in outcome.err
    assert "the TDX TCB info of FMSPC b0c06f000000" in outcome.err
    assert "cannot be reached" in outcome.err
    # It is not asked for the rest.
    assert "is not asked again" in outcome.err


def test_a_foreign_authority(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = os.environ["SSL_CERT_FILE"]
    monkeypatch.setenv("SSL_CERT_FILE", str(WebAuthority(tmp_path, "Foreign CA").file))
    outcome = client.verify()
    assert outcome.code == 6
    assert "not believed to be itself" in outcome.err
    assert client.vendors.targets == []
    monkeypatch.setenv("SSL_CERT_FILE", own)
    assert client.verify().code == 0


def test_the_wrong_name(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    url = client.vendors.url.replace("127.0.0.1", "localhost")
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("WASMTIME_ATTESTATION_AMD_KDS_URL", url)
    outcome = client.verify()
    assert outcome.code == 6
    assert "not believed to be itself" in outcome.err


def test_plain_http_is_used_where_the_user_says_so(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Vendors(tmp_path, is_secure=False) as vendors:
        monkeypatch.setenv("WASMTIME_ATTESTATION_AMD_KDS_URL", vendors.url)
        assert vendors.url.startswith("http://")
        assert client.verify().code == 0


@pytest.mark.parametrize("url", ["kds.example", "file:///etc/passwd", "https://a:b@c", "https://["])
def test_an_address_that_is_none(url: str, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WASMTIME_ATTESTATION_AMD_KDS_URL", url)
    outcome = client.verify()
    assert outcome.code == 2
    assert "WASMTIME_ATTESTATION_AMD_KDS_URL: amd-kds-url is no address" in outcome.err


def test_a_list_of_another_root_of_the_same_name(client: Client) -> None:
    """It would have the evidence rejected, though it says nothing about it."""
    stranger = amd.miniature_amd(MILAN.line, "another owner").ark
    other = der(certificates.crl(stranger.certificate, stranger.key))
    client.vendors.override = lambda request: (
        answer("200 OK", other) if request.target.endswith("/crl") else None
    )
    assert client.verify().code == 0
    outcome = client.fetch()
    assert outcome.code == 6
    assert "of another root than the evidence's" in outcome.err


def test_a_disk_that_is_full(client: Client, tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        missing("a file system of a few KiB takes root and unshare")
    home = tmp_path / "cache"
    home.mkdir()
    script = 'mount -t tmpfs -o size=4k,mode=700 none "$1" && shift && "$@"'
    done = subprocess.run(
        [
            *(require("unshare"), "-m", "sh", "-c", script, "sh", str(home)),
            *(sys.executable, "-m", "wasmtime_attestation", *map(str, client.arguments)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
    )
    assert done.returncode == 0, done.stderr
    assert "answers are not kept: No space left on device" in done.stderr
    assert len(client.vendors.targets) == 3


def test_a_cache_that_is_spoilt_is_filled_again(client: Client, tmp_path: Path) -> None:
    assert client.verify().code == 0
    for file in (tmp_path / "cache" / "wasmtime-attestation").iterdir():
        file.write_bytes(file.read_bytes()[:-1])
    assert client.verify().code == 0
    assert len(client.vendors.targets) == 6
    assert client.verify("--offline").code == 0


def test_ctrl_c_ends_the_waiting(client: Client) -> None:
    client.vendors.override = _hang
    with subprocess.Popen(
        [sys.executable, "-m", "wasmtime_attestation", *map(str, client.arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
    ) as process:
        while not client.vendors.targets:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert time.monotonic() - began < 2
