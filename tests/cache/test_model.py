"""Whatever happens in whatever order, no token is served that a fresh call could not have given."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from wasmtime_attestation.cache.kept import Kept
from wasmtime_attestation.cache.key import ALL, VM, Key, ServiceName
from wasmtime_attestation.cache.settings import Settings
from wasmtime_attestation.cache.tokens import TokenCache
from wasmtime_attestation.errors import AttestationError, UnavailableError, UnsupportedError
from wasmtime_attestation.wit import AttestationResult, TeeType

from tests.cache.disks import disk

GUESTS = [None, b"g" * 32, b"h" * 32]
MARGIN, MAX_AGE, UNSUPPORTED = 30, 200, 2
ONE, TWO = (ServiceName("maa", f"https://{name}.example") for name in ("one", "two"))
FIRST = Key("maa", VM, GUESTS[1], service=ONE)
# Each differs from the first in one thing, so that a mistake is likely to meet its victim.
ALIKE = [
    FIRST,
    replace(FIRST, target=ALL),
    replace(FIRST, target="GPU-0"),
    replace(FIRST, target="GPU-1"),
    replace(FIRST, guest_digest=GUESTS[0]),
    replace(FIRST, guest_digest=GUESTS[2]),
    replace(FIRST, nonce=b"n" * 8),
    replace(FIRST, nonce=b"m" * 8),
    replace(FIRST, user_data=b"u"),
    replace(FIRST, audience="a"),
    replace(FIRST, policy="p"),
    replace(FIRST, service=TWO),
    replace(FIRST, service=None),
]
KEYS = st.one_of(st.just(FIRST), st.sampled_from(ALIKE))
AGES = st.integers(0, 60)
LIVES = st.sampled_from([30, 31, 100, 300, 3600])


class TokenCacheModel(RuleBasedStateMachine):
    """The cache beside a record of everything that was ever issued and cleared."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="attestation-"))
        self.now, self.passed = 10_000, 0
        self.serial = self.process = self.boot = 0
        self.cleared: dict[bytes | None, int] = {}
        self.start()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        self.process += 1
        self.cache = TokenCache(
            lambda: self.now,
            Settings(MARGIN, MAX_AGE, entries=4, unsupported_seconds=UNSUPPORTED),
            disk(self.folder / "tokens", bytes([self.boot]) * 32, entries=4),
            accepts=lambda _: True,
            elapsed=lambda: self.passed,
        )

    @rule(key=KEYS, life=LIVES, age=AGES, seconds=st.sampled_from([-400, -171, -1, 1, 171]))
    def clock_is_set(self, key: Key, life: int, age: int, seconds: int) -> None:
        self.guest_asks(key, life, age)
        self.now += seconds
        self.guest_asks(key, life, age)

    @rule(key=KEYS, life=LIVES, age=AGES, seconds=st.sampled_from([1, 10, 69, 70, 140, 171, 270]))
    def time_passes(self, key: Key, life: int, age: int, seconds: int) -> None:
        self.guest_asks(key, life, age)
        self.now += seconds
        self.passed += seconds
        self.guest_asks(key, life, age)

    @rule(key=KEYS, life=LIVES, age=AGES)
    def guest_asks(self, key: Key, life: int, age: int) -> None:
        key = self.real(key)
        news = []
        for _ in range(2):
            before = self.serial
            try:
                answer = self.cache.token(key, lambda: self.issue(key, life, age))
            except UnsupportedError:
                # One that was raised a moment ago: nothing is served.
                return
            news.append(self.serial > before)
            self.check(key, answer, is_new=news[-1])
        is_kept = key.nonce is None and min(life - MARGIN, MAX_AGE - age) > 0
        assert news[1] == (news[0] and not is_kept)

    @rule(key=KEYS, error=st.sampled_from([UnavailableError, UnsupportedError]))
    def attestation_fails(self, key: Key, error: type[AttestationError]) -> None:
        key, before = self.real(key), self.serial

        def fail() -> Kept:
            raise error("now")

        try:
            answer = self.cache.token(key, fail)
        except AttestationError:
            return
        assert self.serial == before
        self.check(key, answer, is_new=False)

    @rule(key=KEYS)
    def guest_clears(self, key: Key) -> None:
        self.guest_asks(key, 300, 0)
        self.cache.clear(key.guest_digest)
        self.cleared[key.guest_digest] = self.serial
        self.guest_asks(key, 300, 0)

    @rule()
    def all_is_cleared(self) -> None:
        self.cache.clear_all()
        self.cleared = dict.fromkeys(GUESTS, self.serial)

    @rule(key=KEYS, other=KEYS)
    def host_restarts(self, key: Key, other: Key) -> None:
        self.guest_asks(key, 300, 0)
        self.start()
        self.guest_asks(other, 300, 0)
        self.guest_asks(key, 300, 0)

    @rule(key=KEYS)
    def machine_reboots(self, key: Key) -> None:
        self.guest_asks(key, 300, 0)
        self.boot += 1
        self.start()
        self.guest_asks(key, 300, 0)

    def real(self, key: Key) -> Key:
        """Returns the key of a host: without a service it signs itself, with the process's key."""
        if key.service is not None:
            return key
        return replace(key, kind="evidence-token", signing_key=bytes([self.process % 256]) * 32)

    def issue(self, key: Key, life: int, age: int) -> Kept:
        self.serial += 1
        about = {
            "key": repr(key),
            "own": key.service is None,
            "serial": self.serial,
            "process": self.process,
            "boot": self.boot,
            "issued": self.now,
            "good until": min(self.now + life - MARGIN, self.now - age + MAX_AGE),
        }
        result = AttestationResult(json.dumps(about), None, self.now, TeeType.SIMULATED)
        return Kept(result, self.now + life, self.now - age)

    def check(self, key: Key, answer: AttestationResult, *, is_new: bool) -> None:
        about = json.loads(answer.token)
        assert about["key"] == repr(key)
        if is_new:
            assert about["serial"] == self.serial
            return
        assert key.nonce is None
        assert about["issued"] == answer.timestamp <= self.now < about["good until"]
        assert about["serial"] > self.cleared.get(key.guest_digest, 0)
        assert about["boot"] == self.boot
        assert about["process"] == self.process or not about["own"]


TestTokenCache = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")(
    TokenCacheModel.TestCase
)
TokenCacheModel.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
