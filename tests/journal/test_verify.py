"""Verification: every edit is found and named, and what a chain cannot show is said."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.journal import chain, verification
from wasmtime_attestation.journal.record import MAX_LINE, Head

from tests.journal.kept import (
    TAG,
    Forger,
    Members,
    check,
    keep,
    lines_of,
    open_journal,
    problem,
    sealed,
)

Lines = list[bytes]


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes on while these read."""
    monkeypatch.setattr(chain, "_PAUSE", 0)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A journal of four files, each with some checkpoints; not to be changed."""
    directory = tmp_path_factory.mktemp("kept") / "journal"
    return keep(directory, 75, checkpoint_records=10, rotate_bytes=1 << 14)


@pytest.fixture
def copies(files: list[Path], tmp_path: Path) -> list[Path]:
    """The same, to be changed."""
    return [Path(shutil.copy(path, tmp_path)) for path in files]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A journal of one file: open, three decisions, checkpoint."""
    (path,) = keep(tmp_path / "journal")
    return path


def test_a_journal_that_nobody_touched_is_whole(files: list[Path]) -> None:
    assert len(files) == 4
    found = check(files)
    assert found.problem is None
    assert found.records["decision"] == 75
    assert (found.records["open"], found.records["rotation"]) == (1, 3)
    assert found.first == Head(1, json.loads(lines_of(files[0])[0])["hash"])
    last = json.loads(lines_of(files[-1])[-1])
    assert found.head == found.signed == Head(last["seq"], last["hash"])
    assert len(found.signers) == 1


def edits(size: int) -> list[tuple[int, int]]:
    """Every byte with one bit flipped, and some made a line end."""
    return [(at, 1) for at in range(size)] + [(at, 0) for at in range(0, size, 9)]


def edit(data: bytes, at: int, flip: int) -> bytes:
    changed = data[at] ^ flip if flip else ord("\n")
    return data[:at] + bytes([changed]) + data[at + 1 :]


def finds(path: Path, data: bytes) -> bool:
    path.write_bytes(data)
    return check([path]).problem is not None


def test_every_byte_of_a_small_journal_counts(small: Path) -> None:
    data = small.read_bytes()
    missed = [
        (at, flip)
        for at, flip in edits(len(data))
        if edit(data, at, flip) != data and not finds(small, edit(data, at, flip))
    ]
    assert missed == []


@pytest.mark.slow
def test_every_bit_of_a_small_journal_counts(small: Path) -> None:
    data = small.read_bytes()
    missed = [
        (at, bit)
        for at in range(len(data))
        for bit in range(1, 8)
        if not finds(small, edit(data, at, 1 << bit))
    ]
    assert missed == []


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of 10,000 decisions in one file."""
    (path,) = keep(tmp_path_factory.mktemp("large") / "journal", 10_000)
    return path


@pytest.mark.parametrize(
    "count",
    [8, pytest.param(60, marks=pytest.mark.slow), pytest.param(400, marks=pytest.mark.weekly)],
)
def test_edits_of_a_large_journal_are_found_where_they_are(large: Path, count: int) -> None:
    data = large.read_bytes()
    choice = random.Random(count)  # noqa: S311
    step = len(data) // count
    for begin in range(0, len(data) - step, step):
        at = begin + choice.randrange(step)
        with large.open("r+b") as file:
            file.seek(at)
            file.write(bytes([data[at] ^ (1 << choice.randrange(8))]))
        assert problem([large])[1] == data.count(b"\n", 0, at) + 1
        with large.open("r+b") as file:
            file.seek(at)
            file.write(data[at : at + 1])
    assert check([large]).problem is None


@pytest.mark.parametrize("size", [1, 75, 76, 77])
def test_a_cut_within_a_record_is_found(small: Path, size: int) -> None:
    data = small.read_bytes()
    small.write_bytes(data[:-size])
    assert problem([small]) == (small.name, 5, "journal.format")


def test_every_cut_within_records_is_found(small: Path) -> None:
    data = small.read_bytes()
    for size in range(0, len(data), 7):
        if size and data[size - 1] == ord("\n"):
            continue
        small.write_bytes(data[:size])
        assert problem([small])[2] == "journal.format"


def dropped(lines: Lines) -> Lines:
    return lines[:2] + lines[3:]


def repeated(lines: Lines) -> Lines:
    return [*lines[:3], lines[2], *lines[3:]]


def swapped(lines: Lines) -> Lines:
    return [*lines[:2], lines[3], lines[2], *lines[4:]]


def first_dropped(lines: Lines) -> Lines:
    return lines[1:]


def joined(lines: Lines) -> Lines:
    return [*lines[:2], lines[2].rstrip(b"\n"), *lines[3:]]


def spaced(lines: Lines) -> Lines:
    return [*lines[:2], b"\n", *lines[2:]]


def extended(lines: Lines) -> Lines:
    return [*lines, b"{"]


def without_signature(lines: Lines) -> Lines:
    return [*lines[:-1], lines[-1].replace(b'"checkpoint"', b'"checkpoint_"')]


@pytest.mark.parametrize(
    ("change", "line", "check_id"),
    [
        (dropped, 3, "journal.chain"),
        (repeated, 4, "journal.chain"),
        (swapped, 3, "journal.chain"),
        (first_dropped, 1, "journal.chain"),
        (joined, 3, "journal.hash"),
        (spaced, 3, "journal.format"),
        (extended, 6, "journal.format"),
        (without_signature, 5, "journal.hash"),
    ],
)
def test_records_that_are_dropped_repeated_or_moved(
    small: Path, change: Callable[[Lines], Lines], line: int, check_id: str
) -> None:
    small.write_bytes(b"".join(change(lines_of(small))))
    assert problem([small]) == (small.name, line, check_id)


@given(st.permutations(range(5)), st.lists(st.integers(0, 4), max_size=8))
def test_no_other_order_of_the_same_records_is_a_journal(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], choice: list[int]
) -> None:
    path = tmp_path_factory.getbasetemp() / "journal-000000000001.jsonl"
    lines = lines_of(keep_once(tmp_path_factory))
    for wanted in (order, choice):
        path.write_bytes(b"".join(lines[index] for index in wanted))
        beginning = list(range(len(wanted)))
        assert (check([path]).problem is None) == (wanted == beginning and wanted != [])


@given(st.data())
def test_no_other_bytes_are_a_journal(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A piece is replaced by other bytes: only whole records cut from the end stay unseen."""
    path = tmp_path_factory.getbasetemp() / "journal-000000000001.jsonl"
    original = keep_once(tmp_path_factory).read_bytes()
    begin = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(begin, min(len(original), begin + 1500)))
    piece = data.draw(st.binary(max_size=8) | st.just(original[: end - begin]))
    changed = original[:begin] + piece + original[end:]
    path.write_bytes(changed)
    is_cut = original.startswith(changed) and changed.endswith(b"\n")
    assert (check([path]).problem is None) == is_cut


def keep_once(factory: pytest.TempPathFactory) -> Path:
    directory = factory.getbasetemp() / "once"
    if not directory.exists():
        keep(directory)
    return directory / "journal-000000000001.jsonl"


def test_a_record_of_another_journal_is_found(small: Path, tmp_path: Path) -> None:
    (other,) = keep(tmp_path / "other")
    own, foreign = lines_of(small), lines_of(other)
    small.write_bytes(b"".join([*own[:2], foreign[2], *own[3:]]))
    assert problem([small]) == (small.name, 3, "journal.chain")
    small.write_bytes(b"".join([*own[:2], *foreign[2:]]))
    assert problem([small]) == (small.name, 3, "journal.chain")


def without_decisions(members: Members) -> Members | None:
    return None if members["kind"] == "decision" else members


def acquitted(members: Members) -> Members:
    if members.get("verdict") == "denied":
        members |= {"verdict": "ok", "findings": []}
    return members


def unsigned(members: Members) -> Members | None:
    return None if members["kind"] == "checkpoint" else members


@pytest.mark.parametrize("change", [acquitted, without_decisions])
def test_a_chain_that_is_right_again_lacks_the_signature(
    small: Path, change: Callable[[Members], Members | None]
) -> None:
    """Who can write the files, but has not the key."""
    small.write_bytes(Forger.new().rewrite(lines_of(small), change, sign=False))
    name, _, check_id = problem([small])
    assert (name, check_id) == (small.name, "journal.signature")


@pytest.mark.parametrize("change", [acquitted, without_decisions, unsigned])
def test_another_key_is_none_that_the_auditor_knows(
    tmp_path: Path, change: Callable[[Members], Members | None]
) -> None:
    issuer, forger = TokenIssuer(), Forger.new()
    (path,) = keep(tmp_path / "known", signer=issuer)
    known = frozenset({issuer.key_thumbprint.hex()})
    assert check([path], keys=known).problem is None
    path.write_bytes(forger.rewrite(lines_of(path), change))
    assert check([path]).problem is None
    assert problem([path], keys=known)[2] == "journal.key"


def test_another_key_is_found_also_where_the_beginning_was_removed(tmp_path: Path) -> None:
    files = keep(tmp_path / "journal", 100, rotate_bytes=1 << 14, keep_files=2)
    (signer,) = check(files).signers
    assert check(files, keys=frozenset({signer})).problem is None
    assert problem(files, keys=frozenset({"0" * 64}))[2] == "journal.key"


def test_a_journal_without_its_signatures_is_none_of_a_known_key(tmp_path: Path) -> None:
    issuer = TokenIssuer()
    (path,) = keep(tmp_path / "journal", signer=issuer)
    path.write_bytes(Forger.new().rewrite(lines_of(path), unsigned, sign=False))
    known = frozenset({issuer.key_thumbprint.hex()})
    assert problem([path], keys=known)[2] == "journal.signature"
    assert check([path]).signed is None


def test_the_forger_writes_as_the_host_does(small: Path) -> None:
    """So that the tests above fail for their own reason."""
    forger = Forger.new()
    small.write_bytes(forger.rewrite(lines_of(small)))
    found = check([small])
    assert found.problem is None
    assert dict(found.signers) == {forger.thumbprint: 1}


def test_a_signature_of_other_bytes_is_none(small: Path) -> None:
    *lines, last = lines_of(small)
    for data in (b"", b"other", b"wasmtime:attestation journal checkpoint\0"):
        forger = Forger.new()
        members = json.loads(last)
        prev = members.pop("prev")
        del members["hash"], members["signature"]
        members["key"] = forger.jwk
        line, _ = sealed(members, prev, forger.sign(data))
        small.write_bytes(b"".join([*lines, line]))
        assert problem([small]) == (small.name, 5, "journal.signature")


def test_records_that_a_forger_appends_are_found_by_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the last signature: a host that begins, with its own key, none, or the known one."""
    monkeypatch.setattr(verification, "MAX_UNSIGNED", 30)
    issuer = TokenIssuer()
    known = issuer.key_thumbprint.hex()
    (path,) = keep(tmp_path / "journal", signer=issuer)
    lines = lines_of(path)
    for key, every, decisions, expected in (
        ("0" * 64, 1000, 1, "journal.key"),
        (None, None, 1, "journal.key"),
        (known, None, 1, "journal.format"),
        (known, 10, 11, "journal.signature"),
        (known, 1 << 40, 31, "journal.signature"),
    ):
        opened, decision = json.loads(lines[0]), json.loads(lines[2])
        opened |= {"key_thumbprint": key, "checkpoint_records": every}
        path.write_bytes(b"".join(appended(lines, [opened, *[decision] * decisions])))
        assert problem([path], keys=frozenset({known}))[2] == expected


def test_who_closed_a_journal_writes_no_more(tmp_path: Path) -> None:
    """The next process signs what it finds, and so must not find what nobody can have written."""
    issuer, (path,) = TokenIssuer(), keep(tmp_path / "journal")
    lines = lines_of(path)
    path.write_bytes(b"".join(appended(lines, [json.loads(lines[2])])))
    keep(tmp_path / "journal", 1, issuer)
    assert problem([path]) == (path.name, 6, "journal.chain")


def test_decisions_that_their_process_did_not_sign_are_counted(tmp_path: Path) -> None:
    (path,) = keep(tmp_path / "journal")
    lines = lines_of(path)
    unsigned = [json.loads(lines[0]) | {"instance": "0" * 32}, *map(json.loads, lines[1:3])]
    path.write_bytes(b"".join(appended(lines, unsigned)))
    assert check([path]).orphans == 0
    keep(tmp_path / "journal", 1)
    found = check([path])
    assert (found.problem, found.orphans, found.signed) == (None, 2, found.head)


def appended(lines: Lines, records: list[Members]) -> Lines:
    """Appends records to a journal of five, by hand; nothing is signed."""
    lines, prev = [*lines], json.loads(lines[-1])["hash"]
    for number, members in enumerate(records, 6):
        body = {name: members[name] for name in members if name not in ("prev", "hash")}
        line, prev = sealed({**body, "seq": number}, prev)
        lines.append(line)
    return lines


def test_a_process_signs_with_one_key(tmp_path: Path) -> None:
    """Behind the last signature, in the name of the same process, signed by somebody else."""
    (small,) = keep(tmp_path / "journal", 4, checkpoint_records=3)
    lines, forger = lines_of(small)[:5], Forger.new()
    *_, last = appended(lines, [json.loads(lines[2])])
    members = json.loads(lines[-1]) | {"seq": 7, "key": forger.jwk}
    del members["prev"], members["hash"], members["signature"]
    prev = json.loads(last)["hash"]
    body = json.dumps({**members, "prev": prev}, separators=(",", ":"))[:-1]
    line, _ = sealed(members, prev, forger.sign(TAG + body.encode()))
    small.write_bytes(b"".join([*lines, last, line]))
    assert problem([small]) == (small.name, 7, "journal.key")


def test_a_missing_checkpoint_is_found(tmp_path: Path) -> None:
    (path,) = keep(tmp_path / "journal", 25, checkpoint_records=10)
    kinds = [json.loads(line)["kind"] for line in lines_of(path)]
    assert [index for index, kind in enumerate(kinds) if kind == "checkpoint"] == [11, 22, 28]
    cut = Forger.new().rewrite(lines_of(path)[:11] + lines_of(path)[12:21])
    path.write_bytes(cut)
    assert problem([path]) == (path.name, 12, "journal.signature")


def test_a_cut_after_a_record_needs_a_head_from_elsewhere(tmp_path: Path) -> None:
    directory = tmp_path / "journal"
    with open_journal(directory) as journal:
        pass
    (path,) = keep(directory, 3)
    whole = lines_of(path)
    head = check([path]).head
    assert head is not None
    assert check([path], head=head).problem is None
    path.write_bytes(b"".join(whole[:-2]))
    found = check([path])
    assert found.problem is None
    assert found.head != found.signed
    assert problem([path], head=head)[2] == "journal.head"
    path.write_bytes(b"".join(whole))
    assert check([path], head=journal.head).problem is None
    assert problem([path], head=Head(head.sequence, "0" * 64))[2] == "journal.head"
    assert problem([path], head=Head(head.sequence - 1, head.digest))[2] == "journal.head"


def test_a_file_that_is_missing_is_found(copies: list[Path]) -> None:
    assert check(copies).problem is None
    for index, path in enumerate(copies[:-1]):
        rest = copies[:index] + copies[index + 1 :]
        name, line, check_id = problem(rest)
        if index:
            assert (name, line, check_id) == (copies[index + 1].name, 1, "journal.chain")
        else:
            assert check_id == "journal.files"
        assert path not in rest


def test_files_are_themselves_chained(copies: list[Path]) -> None:
    name, line, check_id = problem([copies[1], copies[0], *copies[2:]], whole=False)
    assert (name, line, check_id) == (copies[0].name, 1, "journal.chain")
    assert check(copies[1:], whole=False).problem is None
    assert check(copies[1:3], whole=False).problem is None


def test_an_empty_or_renamed_file_is_found(copies: list[Path]) -> None:
    data = copies[1].read_bytes()
    copies[1].write_bytes(b"")
    assert problem(copies) == (copies[1].name, 1, "journal.chain")
    copies[1].write_bytes(data)
    renamed = copies[0].rename(copies[0].with_name("journal-000000000002.jsonl"))
    assert problem([renamed, *copies[1:]]) == (renamed.name, 1, "journal.chain")


def test_nothing_is_no_journal(small: Path) -> None:
    small.write_bytes(b"")
    assert problem([small]) == (small.name, 1, "journal.format")


@pytest.mark.parametrize("content", [b"\0", b"[", b'{"a":', b"\n", b"x"])
def test_absurd_files_cost_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal-000000000001.jsonl"
    path.write_bytes(content * MAX_LINE * 4)
    assert problem([path]) == (path.name, 1, "journal.format")


def test_a_file_of_a_gibibyte_is_refused_at_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "journal-000000000001.jsonl"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    assert problem([path]) == (path.name, 1, "journal.format")
