"""Where endorsements come from and nonces are recorded: an option, a variable, a file, in turn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from tests.cli.tool import Outcome, run, run_process
from tests.emulation.vendors import Vendors
from tests.endorsers.test_fetch_and_verify import amd_root, evidence_file
from tests.example_guests import cpp_reporter
from tests.fakes.amd import AT, MILAN
from tests.nonces.server import redis_server

NONCE = bytes(range(16)).hex()
VENDORS = ("amd-kds-url", "intel-pcs-url", "nvidia-rim-url", "nvidia-ocsp-url")


@dataclass
class Place:
    """A folder with a user's own configuration in it, and named ones."""

    root: Path
    texts: dict[str, str] = field(default_factory=dict)

    def users(self, text: str) -> None:
        """Writes the user's own configuration."""
        self._write(self.root / "home/wasmtime-attestation/config.toml", text)

    def named(self, text: str) -> Path:
        """Writes a configuration for --config."""
        return self._write(self.root / "host.toml", text)

    def _write(self, path: Path, text: str) -> Path:
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(f"schema = 1\n{text}")
        path.chmod(0o600)
        return path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("WASMTIME_ATTESTATION_OFFLINE")
    return Place(tmp_path)


@dataclass
class Servers:
    """Three Redis servers, and which of them was used."""

    urls: tuple[str, ...]

    def used(self) -> set[int]:
        """Returns the numbers of those that have anything, and empties them."""
        found = set()
        for number, url in enumerate(self.urls):
            with redis.Redis.from_url(url) as client:
                if client.dbsize():
                    found.add(number)
                client.flushall()
        return found


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder in folders:
        folder.mkdir()
    with (
        redis_server(folders[0]) as a,
        redis_server(folders[1]) as b,
        redis_server(folders[2]) as c,
    ):
        yield Servers((a, b, c))


def of_vendors(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> str:
    """Returns `[endorsers]` that leads to miniature vendors, and no variable that does."""
    monkeypatch.setenv("SSL_CERT_FILE", str(vendors.authority.file))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    return "[endorsers]\n" + "".join(f"{name} = {vendors.url!r}\n" for name in VENDORS)


def settings(*arguments: str | Path) -> dict[str, dict[str, object]]:
    found = json.loads(run("config", "show", "--json", *arguments).out)["settings"]
    assert isinstance(found, dict)
    return found


def test_verify_and_fetch_ask_whom_the_file_names(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, root = evidence_file(place.root, MILAN.report()), amd_root(place.root, MILAN)
    at = ("--at", AT.isoformat())
    with Vendors(place.root) as vendors:
        named = place.named(of_vendors(vendors, monkeypatch))
        bundle = place.root / "bundle"
        fetched = run("endorsements", "fetch", source, "-o", bundle, *at, "--config", named)
        assert (fetched.code, len(vendors.targets)) == (0, 3), fetched.err
        monkeypatch.setenv("XDG_CACHE_HOME", str(place.root / "other"))
        assert run("verify", source, "--trust", root, *at, "--config", named).code == 0
        assert len(vendors.targets) == 6
        # The user's own file counts too, and what is stronger says no.
        place.users(of_vendors(vendors, monkeypatch))
        monkeypatch.setenv("XDG_CACHE_HOME", str(place.root / "third"))
        assert run("verify", source, "--trust", root, *at, "--offline").code == 6
        monkeypatch.setenv("WASMTIME_ATTESTATION_OFFLINE", "1")
        assert run("verify", source, "--trust", root, *at).code == 6
        monkeypatch.delenv("WASMTIME_ATTESTATION_OFFLINE")
        assert len(vendors.targets) == 6
        assert run("verify", source, "--trust", root, *at).code == 0
        assert len(vendors.targets) == 9


def test_offline_in_a_file_and_a_variable_that_says_no(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, root = evidence_file(place.root, MILAN.report()), amd_root(place.root, MILAN)
    at = ("--at", AT.isoformat())
    with Vendors(place.root) as vendors:
        named = place.named(of_vendors(vendors, monkeypatch) + "offline = true\n")
        outcome = run("verify", source, "--trust", root, *at, "--config", named)
        assert (outcome.code, vendors.targets) == (6, [])
        monkeypatch.setenv("WASMTIME_ATTESTATION_OFFLINE", "0")
        assert run("verify", source, "--trust", root, *at, "--config", named).code == 0


def test_what_one_machine_fetched_another_has_from_redis(
    place: Place, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, root = evidence_file(place.root, MILAN.report()), amd_root(place.root, MILAN)
    at = ("--at", AT.isoformat())
    shared = f"[cache]\nredis = {servers.urls[0]!r}\n"
    with Vendors(place.root) as vendors:
        named = place.named(of_vendors(vendors, monkeypatch) + shared)
        for home in ("one", "two"):
            monkeypatch.setenv("XDG_CACHE_HOME", str(place.root / home))
            assert run("verify", source, "--trust", root, *at, "--config", named).code == 0
        assert len(vendors.targets) == 3
    monkeypatch.setenv("XDG_CACHE_HOME", str(place.root / "three"))
    offline = place.named(f"[endorsers]\namd-kds-url = {vendors.url!r}\noffline = true\n{shared}")
    assert run("verify", source, "--trust", root, *at, "--config", offline).code == 0
    assert servers.used() == {0}
    monkeypatch.setenv("XDG_CACHE_HOME", str(place.root / "four"))
    assert run("verify", source, "--trust", root, *at, "--config", offline).code == 6


def test_a_variable_counts_before_a_file_before_the_users(
    place: Place, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = evidence_file(place.root, MILAN.report())
    at = ("--at", AT.isoformat())
    texts = [f"[cache]\nredis = {url!r}\n" for url in servers.urls]

    def fetched(number: int, *options: str | Path) -> set[int]:
        monkeypatch.setenv("XDG_CACHE_HOME", str(place.root / f"cache{number}"))
        bundle = place.root / f"bundle{number}"
        assert run("endorsements", "fetch", source, "-o", bundle, *at, *options).code == 0
        return servers.used()

    with Vendors(place.root) as vendors:
        where = of_vendors(vendors, monkeypatch)
        place.users(where + texts[2])
        assert fetched(1) == {2}
        named = place.named(texts[1])
        assert fetched(2, "--config", named) == {1}
        monkeypatch.setenv("WASMTIME_ATTESTATION_REDIS", servers.urls[0])
        assert fetched(3, "--config", named) == {0}
    shown = settings("--config", named)
    assert shown["cache.redis"]["origin"] == "environment variable WASMTIME_ATTESTATION_REDIS"
    assert shown["endorsers.amd-kds-url"]["value"] == vendors.url


def attested(place: Place) -> tuple[Path, Path]:
    token, root = place.root / "attested", place.root / "simulated.pem"
    made = run(
        *("attest", "vm", "--tee", "simulated", "--nonce", NONCE, "--trust-out", root, "-o", token)
    )
    assert made.code == 0, made.err
    return token, root


def test_where_nonces_are_recorded(
    place: Place, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, root = attested(place)

    def verify(*options: str | Path) -> Outcome:
        return run("verify", token, "--trust", root, "--nonce", NONCE, *options)

    assert [verify().code for _ in range(2)] == [0, 0]
    place.users("[cache]\nnonce-record = 'users'\n")
    assert [verify().code for _ in range(2)] == [0, 4]
    assert (place.root / "home/wasmtime-attestation/users").exists()
    named = place.named(f"[cache]\nnonce-record = 'redis'\nredis = {servers.urls[0]!r}\n")
    assert [verify("--config", named).code for _ in range(2)] == [0, 4]
    # The server of another origin: whoever names it means it for the nonces too.
    monkeypatch.setenv("WASMTIME_ATTESTATION_REDIS", servers.urls[1])
    assert [verify("--config", named).code for _ in range(2)] == [0, 4]
    assert servers.used() == {0, 1}
    monkeypatch.setenv("WASMTIME_ATTESTATION_NONCE_RECORD", servers.urls[2])
    assert [verify("--config", named).code for _ in range(2)] == [0, 4]
    assert servers.used() == {2}
    file = place.root / "optional"
    own = ("--config", named, "--nonce-record", file)
    assert [verify(*own).code for _ in range(2)] == [0, 4]
    assert [verify("--config", named, "--nonce-record", "redis").code for _ in range(2)] == [0, 4]
    assert servers.used() == {1}
    assert [verify("--nonce-record", "none").code for _ in range(2)] == [0, 0]


def test_a_configured_record_is_not_passed_by(place: Place) -> None:
    """What cannot be recorded is not accepted, unless the option says so."""
    token, root = attested(place)
    named = place.named("[cache]\nnonce-record = 'nonces'\n")
    usual = ("--trust", root, "--config", named)
    assert run("verify", token, *usual).code == 0  # no challenge was sent
    then = ("--nonce", NONCE, "--at", "2026-03-01T00:00:10Z")
    outcome = run("verify", token, *usual, *then)
    assert outcome.code == 2
    assert "--nonce-record none records nothing" in outcome.err
    batch = place.root / "batch"
    batch.write_text("")
    assert run("verify", "--batch", batch, "--nonce", NONCE, *usual).code == 2
    assert run("verify", token, *usual, "--nonce", NONCE, "--nonce-record", "redis").code == 2
    assert run("verify", token, *usual, "--nonce", NONCE).code == 0
    assert run("verify", token, *usual, "--nonce", NONCE).code == 4


def test_what_may_be_a_secret_is_not_repeated(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "hunter2-do-not-show"  # noqa: S105
    for text in (
        f"[cache]\nredis = 'redis://me:{secret}@cache.example'\n",
        f"[cache]\nnonce-record = 'redis://me:{secret}@cache.example'\n",
        f"[endorsers]\nintel-pcs-key-env = '{secret}'\n",
    ):
        named = place.named(text)
        for command in (("config", "check", named), ("config", "show", "--config", named)):
            outcome = run(*command)
            assert outcome.code == 2
            assert secret not in outcome.out + outcome.err
    monkeypatch.setenv("WASMTIME_ATTESTATION_INTEL_PCS_KEY", secret)
    place.named("")
    outcome = run("config", "show")
    assert "<set, from environment WASMTIME_ATTESTATION_INTEL_PCS_KEY>" in outcome.out
    assert secret not in outcome.out


def test_the_key_is_in_the_variable_that_the_file_names(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PCS_KEY", "key")
    named = place.named("[endorsers]\nintel-pcs-key-env = 'PCS_KEY'\n")
    shown = settings("--config", named)["endorsers.intel-pcs-key-env"]
    assert (shown["value"], shown["secret"]) == ("PCS_KEY", "set, from environment PCS_KEY")
    assert shown["origin"] == f"{named}:3"


@pytest.mark.usefixtures("place")
def test_what_holds_without_anything_is_shown() -> None:
    shown = settings()
    assert shown["endorsers.amd-kds-url"]["value"] == "https://kdsintf.amd.com"
    assert shown["journal.fsync"]["value"] == "interval"
    assert shown["cache.redis"]["value"] is None


def test_what_guests_accept_is_recorded_too(place: Place, servers: Servers) -> None:
    """The example's relying party always sends the same challenge; each guest has its own."""
    named = place.named(f"[cache]\nnonce-record = 'redis'\nredis = {servers.urls[0]!r}\n")
    legacy = cpp_reporter()
    for guest in (legacy, legacy.with_name("cpp-reporter-component.wasm")):
        replays = []
        for _ in range(2):
            outcome = run_process("run", "--config", named, "--tee", "simulated", guest)
            assert outcome.code == 0, outcome.err
            replays.append("was accepted before: it is a replay" in outcome.out)
        assert replays == [False, True]
    assert servers.used() == {0}
