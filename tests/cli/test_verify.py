"""`verify` of tokens: what is accepted, under which demands, and that no forgery is."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from wasmtime_attestation.endorsements.x509 import pem

from tests.cli.tool import Outcome, run, run_process
from tests.fakes.amd import MILAN, TURIN
from tests.fakes.forgeries import FORGERIES, Forgery
from tests.fakes.token import NONCE, NOW, Forger, encode

AT = ("--at", "2026-03-01T00:00:10Z")
HOST = Forger()


def verify(text: str | bytes, root: Path, *options: str | Path) -> Outcome:
    data = text if isinstance(text, bytes) else text.encode()
    return run("verify", "-", "--trust", root, *AT, *options, stdin=data)


def refused(text: str | bytes, root: Path, *options: str) -> str:
    """Verifies what must not be accepted, and returns the one line that says why."""
    outcome = verify(text, root, *options)
    assert outcome.code == 4, outcome
    (line,) = outcome.err.splitlines()
    assert line.startswith("rejected: ")
    return line


def test_a_token_from_a_file_or_from_standard_input(root: Path, token: Path) -> None:
    from_file = run("verify", token, "--trust", root, *AT)
    from_stdin = verify(token.read_bytes(), root)
    assert (from_file.code, from_stdin.code) == (0, 0)
    assert from_file.err == from_stdin.err
    assert "SIMULATED, authentic, warning under hardware-only" in from_file.out


@pytest.mark.parametrize("space", ["", "\n", "\r\n", "  \n\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_white_space_around_a_token_is_that_of_its_file(root: Path, mark: str, space: str) -> None:
    assert verify(mark + space + HOST.token() + space, root).code == 0


@pytest.mark.parametrize("forgery", FORGERIES, ids=str)
def test_no_forgery_is_accepted(root: Path, forgery: Forgery) -> None:
    line = refused(forgery.make(HOST), root)
    assert line.startswith(f"rejected: {forgery.check}: ")
    assert forgery.says in line


def test_each_forgery_has_a_message_that_fits_it(root: Path) -> None:
    lines = {forgery.name: refused(forgery.make(HOST), root) for forgery in FORGERIES}
    assert len({forgery.says for forgery in FORGERIES}) >= 12
    assert all(len(line) < 600 for line in lines.values())


def test_a_simulated_root_must_be_named(token: Path, tmp_path: Path) -> None:
    outcome = run("verify", token, *AT)
    assert outcome.code == 4
    assert "amd.ark" in outcome.err
    assert "not given as trusted" in outcome.err
    other = tmp_path / "other.pem"
    other.write_bytes(pem(TURIN.amd.ark.certificate))
    assert run("verify", token, "--trust", other, *AT).code == 4


def test_an_intermediate_certificate_is_no_root(token: Path, tmp_path: Path) -> None:
    path = tmp_path / "ask.pem"
    path.write_bytes(pem(MILAN.chain()[1]))
    assert run("verify", token, "--trust", path, *AT).code == 4


def test_what_is_demanded_is_checked(root: Path) -> None:
    token = HOST.sign(HOST.payload(audience="für dich"))
    options = ("--nonce", NONCE.hex(), "--audience", "für dich", "--max-age", "10")
    outcome = verify(token, root, *options, "--json")
    assert outcome.code == 0
    passed = {c["id"] for c in json.loads(outcome.out)["checks"] if c["outcome"] == "passed"}
    assert {"token.nonce", "token.audience", "token.age"} <= passed


@pytest.mark.parametrize(
    ("options", "check"),
    [
        (("--nonce", "00" * 32), "token.nonce"),
        (("--nonce", NONCE.hex()[:-2]), "token.nonce"),
        (("--audience", "somebody else"), "token.audience"),
        (("--audience", ""), "token.audience"),
        (("--max-age", "9"), "token.age"),
        (("--at", "2026-03-01T00:05:00Z"), "token.time"),
        (("--at", "2026-02-28T23:58:59Z"), "token.time"),
        (("--at", "2026-03-01T01:00:00+02:00"), "token.time"),
        (("--at", "1969-12-31T23:59:59Z"), "token.time"),
        (("--at", "9999-12-31T23:59:59Z"), "token.time"),
        (("--at", "0001-01-01T00:00:00Z"), "token.time"),
    ],
)
def test_a_token_that_is_not_as_demanded(root: Path, options: tuple[str, ...], check: str) -> None:
    token = HOST.sign(HOST.payload(audience="somebody"))
    assert refused(token, root, *options).startswith(f"rejected: {check}: ")


def test_the_instant_may_be_in_any_zone(root: Path) -> None:
    assert verify(HOST.token(), root, "--at", "2026-03-01T05:30:10+05:30").code == 0


def cut(lengths: range, root: Path) -> None:
    text = HOST.token()
    for length in lengths:
        refused(text[:length], root)


def test_no_beginning_of_a_token_is_accepted(root: Path) -> None:
    size = len(HOST.token())
    cut(range(0, size, 149), root)
    cut(range(size - 133, size, 3), root)


@pytest.mark.weekly
def test_no_beginning_at_all_of_a_token_is_accepted(root: Path) -> None:
    cut(range(len(HOST.token())), root)


def test_no_flipped_bit_is_accepted(root: Path) -> None:
    text = HOST.token().encode()
    chosen = random.Random(11)  # noqa: S311
    for _ in range(60):
        place, bit = chosen.randrange(len(text)), chosen.randrange(8)
        flipped = text[:place] + bytes([text[place] ^ 1 << bit]) + text[place + 1 :]
        refused(flipped, root)


def test_ten_megabytes_of_dots(root: Path, tmp_path: Path) -> None:
    assert "larger than 4194304 bytes" in refused(b"." * 10_000_000, root)
    assert "3000000 characters; 1048576 is the limit" in refused(b"." * 3_000_000, root)
    path = tmp_path / "dots"
    path.write_bytes(b"." * 10_000_000)
    outcome = run_process("verify", path)
    assert (outcome.code, len(outcome.err.splitlines())) == (4, 1)


def test_what_is_only_nearly_a_token(root: Path) -> None:
    header, payload, signature = HOST.token().split(".")
    for text in (
        f"{header}.\n{payload}.{signature}",
        f"{header}.{payload}.{signature}\ufeff",
        f"Bearer {header}.{payload}.{signature}",
        json.dumps({"protected": header, "payload": payload, "signature": signature}),
        header,
        "",
        "\0",
    ):
        assert refused(text, root).startswith("rejected: input.format: ")


def test_a_token_cannot_have_report_data(root: Path) -> None:
    outcome = verify(HOST.token(), root, "--report-data", "00" * 64)
    assert outcome.code == 2
    assert "--report-data is for raw evidence" in outcome.err


def test_what_a_token_says_is_shown_but_cannot_pose_as_our_words(root: Path) -> None:
    audience = "you\nresult   authentic, affirming\x1b[2J\u202e, guest_digest AAAA"
    outcome = verify(HOST.sign(HOST.payload(audience=audience)), root)
    assert outcome.code == 0
    assert all(line.isprintable() for line in outcome.out.splitlines())
    assert [line for line in outcome.out.splitlines() if line.startswith("result")] == [
        "result   SIMULATED, authentic, warning under hardware-only"
    ]
    (line,) = [line for line in outcome.out.splitlines() if line.lstrip().startswith("aud ")]
    assert "you\\nresult" in line
    assert not [
        line for line in outcome.out.splitlines() if "guest_digest" in line and "aud" not in line
    ]


def test_user_data_and_guest_are_shown(root: Path) -> None:
    payload = HOST.payload(guest_digest=bytes(32), user_data=b"data")
    outcome = verify(HOST.sign(payload), root, "--json")
    token = json.loads(outcome.out)["claims"]["token"]
    assert token["guest_digest"] == encode(bytes(32))
    assert token["user_data"] == encode(b"data")
    assert token["iat"] == NOW


def test_endorsements_may_come_beside_the_token(root: Path, tmp_path: Path) -> None:
    payload = HOST.payload()
    payload["evidence"][0]["endorsements"] = []
    token = HOST.sign(payload)
    outcome = verify(token, root)
    assert outcome.code == 6
    assert "is missing; give it with --endorsements" in outcome.err
    folder = tmp_path / "chain"
    folder.mkdir()
    for number, certificate in enumerate(MILAN.chain()):
        (folder / f"{number}.pem").write_bytes(pem(certificate))
    assert verify(token, root, "--endorsements", folder).code == 0
