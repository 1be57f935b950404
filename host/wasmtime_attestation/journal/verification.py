"""Verifies a journal: every hash, the chain, the signatures, and where it begins and ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence.token import KeyPoint
from wasmtime_attestation.journal import attestation
from wasmtime_attestation.journal.attestation import Attestation
from wasmtime_attestation.journal.chain import BrokenChainError, Place, walk
from wasmtime_attestation.journal.record import BadRecordError, Head, Record
from wasmtime_attestation.journal.settings import MAX_UNSIGNED
from wasmtime_attestation.verifier import checkpoint
from wasmtime_attestation.verifier.binding import thumbprint

_BETWEEN_PROCESSES = frozenset({"open", "rotation", "repair"})
"""Kinds that may follow the checkpoint with which a process closed the journal."""
MAX_ATTESTATIONS = 10_000
"""Tokens that are handed on; each restart of the host leaves one."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an auditor knows besides the journal.

    Attributes:
        keys: SHA-256 thumbprints of the keys that may sign; None to take those in the journal.
        head: a record that must be there, as it was noted elsewhere.
        whole: whether the files are all that the journal should have.
    """

    keys: frozenset[str] | None = None
    head: Head | None = None
    whole: bool = True


@dataclass(slots=True)
class Findings:
    """What is in a journal, up to where it is right.

    Attributes:
        records: by kind.
        first: the first record that is there.
        head: the last.
        signed: the last that a signature covers.
        signers: checkpoints by the thumbprint of their key, in hex.
        attestations: the tokens in it.
        cut: bytes that power cuts left torn.
        lost: decisions that could not be recorded.
        orphans: decisions that no signature of the process followed which is said to have made
            them; a later one signs them as it found them.
        problem: what is wrong, and where; None where nothing is.
    """

    records: Counter[str] = field(default_factory=Counter)
    first: Head | None = None
    head: Head | None = None
    signed: Head | None = None
    signers: Counter[str] = field(default_factory=Counter)
    attestations: list[Attestation] = field(default_factory=list)
    cut: int = 0
    lost: int = 0
    orphans: int = 0
    problem: tuple[Place, BadRecordError] | None = None


def verify(files: Sequence[Path], expected: Expected) -> Findings:
    """Verifies a journal in one pass.

    Args:
        files: in their order.
        expected: what an auditor knows besides.

    Returns:
        what was found; the first record that is wrong is its `problem`.

    Raises:
        OSError: a file cannot be read.
    """
    verification = _Verification(expected)
    findings = verification.findings
    place = Place(files[0], 1, 0)
    try:
        for here, record in walk(files, named=expected.whole):
            place = here
            verification.take(record)
        verification.end()
    except BrokenChainError as error:
        findings.problem = error.place, error.reason
    except BadRecordError as error:
        findings.problem = place, error
    return findings


class _Verification:
    def __init__(self, expected: Expected) -> None:
        self.findings = Findings()
        self._expected = expected
        self._open: Record | None = None
        self._attested: Record | None = None
        self._unsigned = 0
        self._closed = False
        self._limit: int | None = None
        self._oldest = 0
        self._has_head = expected.head is None

    def take(self, record: Record) -> None:
        found = self.findings
        kind, head = record.kind, record.head
        if found.first is None:
            found.first = head
        if head == self._expected.head:
            self._has_head = True
        self._check_closed(record)
        match kind:
            case "decision":
                self._count_unsigned()
            case "open":
                self._begin(record)
            case "attestation":
                self._attest(record)
            case "checkpoint":
                self._check_signature(record)
                found.signed, self._unsigned = head, 0
            case "rotation":
                self._oldest = record.number("oldest")
            case "repair":
                found.cut += record.number("cut_bytes")
            case "gap":
                found.lost += record.number("lost")
            case _:
                raise AssertionError(kind)
        found.records[kind] += 1
        found.head = head

    def end(self) -> None:
        """Checks what only the whole can show."""
        found = self.findings
        if found.first is None or found.head is None:
            raise BadRecordError("journal.format", "there is no record: all were taken away")
        if self._expected.whole and found.first.sequence > max(1, self._oldest):
            raise BadRecordError(
                "journal.files",
                f"the journal begins with record {found.first.sequence}, and says that it kept "
                f"those from {max(1, self._oldest)} on: files are missing",
            )
        self._check_head(found.first, found.head)
        if self._expected.keys is not None and found.signed is None:
            raise _signature("no checkpoint is here: nothing is signed")

    def _check_closed(self, record: Record) -> None:
        """A process that closed the journal writes no more."""
        if self._closed and record.kind not in _BETWEEN_PROCESSES:
            raise BadRecordError(
                "journal.chain",
                "it follows the checkpoint with which its process closed the journal: somebody "
                "else wrote it",
            )
        is_close = record.kind == "checkpoint" and record.members["reason"] == "close"
        self._closed = is_close or (self._closed and record.kind != "open")

    def _begin(self, record: Record) -> None:
        """Another process writes from here on, perhaps with another key."""
        keys, signer = self._expected.keys, record.members["key_thumbprint"]
        if keys is not None and signer not in keys:
            raise BadRecordError(
                "journal.key",
                f"from here on a host writes with the key {signer}, which is none of those given",
            )
        limit = record.members["checkpoint_records"]
        if self._limit is not None:
            self.findings.orphans += self._unsigned
        self._open, self._attested, self._unsigned = record, None, 0
        # More than settings allow is nothing that a host would write.
        self._limit = min(limit, MAX_UNSIGNED) if isinstance(limit, int) else None
        if self._limit is None and signer is not None:
            raise BadRecordError("journal.format", "it names a key, and not how often it signs")

    def _count_unsigned(self) -> None:
        self._unsigned += 1
        if self._limit is not None and self._unsigned > self._limit:
            raise _signature(
                f"{self._unsigned} decisions follow each other without a checkpoint, and this "
                f"host signs every {self._limit}: one is missing"
            )

    def _attest(self, record: Record) -> None:
        opened = self._of_its_process(record)
        found = attestation.check(record, opened)
        self._attested = record
        if found is not None:
            if len(self.findings.attestations) >= MAX_ATTESTATIONS:
                raise BadRecordError("journal.attestation", "there are too many tokens")
            self.findings.attestations.append(found)

    def _check_signature(self, record: Record) -> None:
        try:
            point = KeyPoint.from_jwk(record.members["key"])
            signature = base64url.decode(record.text("signature"))
            checkpoint.check(point, signature, record.signed)
        except ValueError as error:
            raise _signature(f"the checkpoint's signature is not right: {error}") from error
        signer = thumbprint(point).hex()
        keys = self._expected.keys
        if keys is not None and signer not in keys:
            raise BadRecordError(
                "journal.key",
                f"the checkpoint is signed by the key with the thumbprint {signer}, which is none "
                "of those given",
            )
        self._check_process(record, signer)
        self.findings.signers[signer] += 1

    def _check_process(self, record: Record, signer: str) -> None:
        """The key is that of the process that opened the journal, and the token attests it."""
        opened = self._of_its_process(record)
        if opened is not None and opened.members["key_thumbprint"] != signer:
            raise BadRecordError(
                "journal.key", "the process that opened the journal has another key"
            )
        token = record.members["attestation"]
        if self._attested is not None and token not in (None, self._attested.text("token_sha256")):
            raise BadRecordError("journal.attestation", "the checkpoint names another token")
        for found in self.findings.attestations[-1:]:
            if found.instance == record.text("instance") and found.key_thumbprint != signer:
                raise BadRecordError("journal.attestation", "the token attests another key")

    def _of_its_process(self, record: Record) -> Record | None:
        opened = self._open
        if opened is not None and opened.text("instance") != record.text("instance"):
            raise BadRecordError(
                "journal.chain", "it is of another process than the one that opened the journal"
            )
        return opened

    def _check_head(self, first: Head, head: Head) -> None:
        wanted = self._expected.head
        if wanted is None or self._has_head:
            return
        if wanted.sequence > head.sequence:
            problem = f"it ends with record {head.sequence}: its end was cut"
        elif wanted.sequence < first.sequence:
            problem = f"it begins with record {first.sequence}: the older files are not here"
        else:
            problem = f"record {wanted.sequence} has another hash: it was written anew"
        raise BadRecordError("journal.head", f"the record {wanted} is not here; {problem}")


def _signature(problem: str) -> BadRecordError:
    return BadRecordError("journal.signature", problem)
