"""Tokens on disk: private, whole or not at all, and of one boot of one machine."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from wasmtime_attestation.cache import machine_identity, token_entry
from wasmtime_attestation.cache.key import Key
from wasmtime_attestation.cache.tokens import TokenCache
from wasmtime_attestation.wit import AttestationResult, TeeType

from tests.cache.disks import FIRST, SECOND, disk
from tests.cache.keys import BOOT, EVIDENCE, GUEST, ISSUED, SERVED, kept
from tests.tools import missing

KEPT = replace(kept(), result=AttestationResult("a.b.c", "{}", ISSUED, TeeType.INTEL_TDX))
NOBODY = 65534


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "tokens"


def test_what_is_written_is_read_by_the_next_process(folder: Path) -> None:
    assert disk(folder).read(SERVED) is None
    assert not folder.exists()
    disk(folder).write(SERVED, KEPT)
    assert disk(folder).read(SERVED) == KEPT
    assert folder.stat().st_mode & 0o777 == 0o700
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("key", [EVIDENCE, replace(SERVED, nonce=bytes(8))], ids=["own", "nonce"])
def test_what_must_not_outlive_the_process_does_not(folder: Path, key: Key) -> None:
    assert not disk(folder).takes(key)
    with pytest.raises(ValueError, match="does not outlive the process"):
        disk(folder).write(key, KEPT)
    assert not folder.exists()


def test_after_a_reboot_and_on_a_clone_it_counts_as_none(folder: Path) -> None:
    disk(folder).write(SERVED, KEPT)
    assert disk(folder, boot=b"c" * 32).read(SERVED) is None
    assert disk(folder).read(SERVED) is None


def test_the_boot_of_this_machine() -> None:
    first = machine_identity.boot_of_machine()
    assert first == machine_identity.boot_of_machine()
    if first is not None:
        assert len(first) == 32


@pytest.mark.parametrize("changed", ["_BOOT", "_MACHINE", "_PRODUCT"])
def test_boots_and_machines_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    for name in ("_BOOT", "_MACHINE", "_PRODUCT"):
        (tmp_path / name).write_text("the same\n")
        monkeypatch.setattr(machine_identity, name, tmp_path / name)
    before = machine_identity.boot_of_machine()
    (tmp_path / changed).write_text("another\n")
    after = machine_identity.boot_of_machine()
    assert None not in (before, after)
    assert before != after
    (tmp_path / "_BOOT").unlink()
    assert machine_identity.boot_of_machine() is None


def test_every_flip_and_every_cut_is_noticed(folder: Path) -> None:
    disk(folder).write(SERVED, KEPT)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    for index in range(len(whole)):
        for damaged in (
            whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :],
            whole[:index],
        ):
            file.write_bytes(damaged)
            assert disk(folder).read(SERVED) is None, index
            assert not file.exists()
            file.touch(0o600)
    file.write_bytes(whole + b"x")
    assert disk(folder).read(SERVED) is None


def test_an_entry_under_another_name(folder: Path) -> None:
    disk(folder).write(SERVED, KEPT)
    (folder / token_entry.name_of(SERVED)).rename(folder / token_entry.name_of(SECOND))
    assert disk(folder).read(SECOND) is None


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("issued", "true"),
        ("issued", "-1"),
        ("expires", "9007199254740992"),
        ("collected", "1.5"),
        ("tee", '"none-such"'),
        ("evidence", "1"),
        ("boot", "null"),
    ],
)
def test_a_head_of_another_form(member: str, value: str) -> None:
    """Somebody of the same user can write one with a right digest; it is refused cleanly."""
    data = token_entry.encode(SERVED, KEPT, BOOT)
    head, _, body = data.split(b"\n", 2)[2].partition(b"\n")
    pattern = rf'"{member}":("[^"]*"|[^,}}]*)'.encode()
    changed = re.sub(pattern, f'"{member}":{value}'.encode(), head) + b"\n" + body
    assert changed != head + b"\n" + body
    digest = hashlib.sha256(changed).hexdigest()
    with pytest.raises(ValueError):
        token_entry.decode(f"{token_entry.FORM}\n{digest}\n".encode() + changed, SERVED, BOOT)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_an_entry_that_others_can_use(folder: Path, mode: int) -> None:
    disk(folder).write(SERVED, KEPT)
    (file,) = folder.iterdir()
    file.chmod(mode)
    assert disk(folder).read(SERVED) is None


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
def test_a_folder_that_others_can_use(
    folder: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    kept_there = disk(folder)
    kept_there.write(SERVED, KEPT)
    folder.chmod(mode)
    assert kept_there.read(SERVED) is None
    kept_there.write(SECOND, KEPT)
    assert caplog.text.count("tokens are not kept on disk") == 1
    folder.chmod(0o700)
    assert kept_there.read(SECOND) is None


def test_a_folder_of_somebody_else(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    if os.geteuid() != 0:
        missing("only root gives files away")
    disk(folder).write(SERVED, KEPT)
    os.chown(folder, NOBODY, NOBODY)
    assert disk(folder).read(SERVED) is None
    assert f"belongs to user {NOBODY}, not to you" in caplog.text


def test_the_one_not_used_for_longest_gives_way(folder: Path) -> None:
    small = disk(folder, entries=3)
    keys = [replace(SERVED, target=f"GPU-{number}") for number in range(4)]
    for age, key in enumerate(keys[:3]):
        small.write(key, KEPT)
        os.utime(folder / token_entry.name_of(key), (1e9 + age, 1e9 + age))
    assert small.read(keys[0]) == KEPT
    small.write(keys[3], KEPT)
    assert [small.read(key) is not None for key in keys] == [True, False, True, True]


def test_the_bytes_are_bounded(folder: Path) -> None:
    small = disk(folder, size=5000)
    for number in range(6):
        small.write(replace(SERVED, target=f"GPU-{number}"), kept("x" * 1000))
        assert sum(file.stat().st_size for file in folder.iterdir()) <= 5000
    small.write(SERVED, kept("x" * 5000))
    assert small.read(SERVED) is None
    assert len(list(folder.iterdir())) == 3


def test_clearing_is_for_one_guest_and_all_its_boots(folder: Path) -> None:
    nobody = replace(SERVED, guest_digest=None)
    for key in (FIRST, SERVED, SECOND, nobody):
        disk(folder).write(key, KEPT)
    disk(folder, boot=b"c" * 32).write(replace(SERVED, target="GPU-9"), KEPT)
    disk(folder).clear(GUEST)
    assert [disk(folder).read(key) is None for key in (FIRST, SERVED)] == [True, True]
    assert [disk(folder).read(key) for key in (SECOND, nobody)] == [KEPT, KEPT]
    assert len(list(folder.iterdir())) == 2
    disk(folder).clear_all()
    assert list(folder.iterdir()) == []


def test_what_cannot_be_cleared_is_not_read_again(folder: Path) -> None:
    kept_there = disk(folder)
    kept_there.write(SERVED, KEPT)
    folder.chmod(0o755)
    kept_there.clear(GUEST)
    folder.chmod(0o700)
    assert kept_there.read(SERVED) is None
    assert disk(folder).read(SERVED) == KEPT


class Served:
    """A host with tokens on disk, which a verifier accepts or not."""

    def __init__(self, folder: Path) -> None:
        self.accepted: list[str] = []
        self.accepts, self.now, self.issued = True, ISSUED, 0
        self.cache = TokenCache(lambda: self.now, disk=disk(folder), accepts=self._verify)

    def _verify(self, token: str) -> bool:
        self.accepted.append(token)
        return self.accepts

    def ask(self, key: Key = SERVED) -> str:
        def issue() -> object:
            self.issued += 1
            return kept(f"issued at {self.now}", self.now)

        return self.cache.token(key, issue).token  # type: ignore[arg-type]


def test_a_restarted_host_has_its_services_tokens_and_verifies_them(folder: Path) -> None:
    assert Served(folder).ask() == "issued at 1000"
    restarted = Served(folder)
    restarted.now += 10
    assert [restarted.ask(), restarted.ask()] == ["issued at 1000"] * 2
    assert restarted.accepted == ["issued at 1000"]
    assert restarted.issued == 0


def test_a_restarted_host_has_none_of_its_own_tokens(folder: Path) -> None:
    Served(folder).ask(EVIDENCE)
    assert not folder.exists()


def test_a_token_that_is_not_accepted_any_more_is_dropped(folder: Path) -> None:
    Served(folder).ask()
    restarted = Served(folder)
    restarted.now += 10
    restarted.accepts = False
    assert restarted.ask() == "issued at 1010"
    assert Served(folder).ask() == "issued at 1000"


@pytest.mark.parametrize("now", [ISSUED - 1, ISSUED + 270, ISSUED + 300])
def test_a_token_that_is_not_good_now_is_not_taken_from_the_disk(folder: Path, now: int) -> None:
    Served(folder).ask()
    restarted = Served(folder)
    restarted.now = now
    assert restarted.ask() == f"issued at {now}"


def test_clear_reaches_the_disk(folder: Path) -> None:
    host = Served(folder)
    host.ask()
    host.cache.clear(GUEST)
    host.now += 1
    assert host.ask() == "issued at 1001"
    host.cache.clear_all()
    assert list(folder.iterdir()) == []


def test_a_verifier_is_needed(folder: Path) -> None:
    with pytest.raises(ValueError, match="verified before"):
        TokenCache(lambda: 0.0, disk=disk(folder))


def test_killed_at_every_point_it_has_the_old_or_the_new(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.cache.killed", "tokens", tmp_path],
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
        cwd=Path(__file__).parents[2],
    )
    points = int(done.stdout)
    assert points > 30
    seen = set()
    for point in range(points):
        left = disk(tmp_path / str(point))
        first = left.read(FIRST)
        assert first in (kept("old"), kept("new")), point
        assert left.read(SECOND) in (None, kept("second"))
        assert left.read(SERVED) in (None, kept("third"))
        seen.add(first)
        # What is left of it hinders nobody.
        left.write(FIRST, kept("newest"))
        assert left.read(FIRST) == kept("newest")
    assert len(seen) == 2


def test_a_full_disk(tiny: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept_there = disk(tiny / "tokens")
    kept_there.write(SERVED, KEPT)
    (tiny / "others").write_bytes(b"x" * (48 << 10))
    for number in range(30):
        kept_there.write(replace(SERVED, target=f"GPU-{number}"), kept("x" * 3000))
    assert caplog.text.count("tokens are not kept on disk: No space left on device") == 1
    assert kept_there.read(SERVED) == KEPT
    assert not list((tiny / "tokens").glob(".tmp-*"))
    (tiny / "others").unlink()
    kept_there.write(SECOND, KEPT)
    assert kept_there.read(SECOND) == KEPT
