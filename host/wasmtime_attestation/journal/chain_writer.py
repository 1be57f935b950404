"""Appends records to the chain, file after file; for one thread at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wasmtime_attestation.errors import InternalError
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.journal.decision import MAX_TEXT, bounded
from wasmtime_attestation.journal.file import JournalFile, sync_directory
from wasmtime_attestation.journal.files import listing, name_of, sequence_of
from wasmtime_attestation.journal.record import GENESIS, Head, Record, write
from wasmtime_attestation.journal.recovery import End, Torn, end_of
from wasmtime_attestation.journal.settings import Fsync, Settings

log = logging.getLogger(__name__)
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class _End:
    """Where the next record goes: assigned whole, so that an interrupt leaves no half of it."""

    file: JournalFile
    head: Head
    size: int


class ChainWriter:
    """The end of a journal.

    Args:
        settings: how the journal is kept; it names a folder, which is locked.
        instance: of this process, 16 bytes.
        clock: the time, in seconds since the Unix epoch.

    Raises:
        InternalError: the journal was changed in a way that no power cut explains.
        InvalidArgumentError: others may write its file.
        OSError: it cannot be read or written.
    """

    def __init__(self, settings: Settings, instance: bytes, clock: Callable[[], float]) -> None:
        if settings.directory is None:
            raise ValueError("a journal needs a folder")
        self._settings, self._directory = settings, settings.directory
        self._instance, self._clock = instance.hex(), clock
        self._torn: Torn | None = None
        self._last: Record | None = None
        self._former, self._reason = "", "restart"
        self._begun = clock()
        self._oldest = 1
        self._end = self._open()

    @property
    def head(self) -> Head:
        """The head of the chain."""
        return self._end.head

    def append(self, kind: str, members: Mapping[str, Json], sign: Sign | None = None) -> Record:
        """Appends a record.

        Raises:
            OSError: it cannot be written.
            InvalidArgumentError: others may write the file.
        """
        self.settle()
        return self._put(kind, members, sign)

    def settle(self) -> None:
        """Makes sure that the file is as it was left, and begins as it must.

        Raises:
            as `append`.
        """
        if self._end.file.size() != self._end.size:
            self._regain()
        if self._end.size == 0 and self._end.head.sequence:
            self._put("rotation", self._rotation(), None)
            self._remove_old()
        if self._torn is not None and self._end.size:
            cut: dict[str, Json] = {"cut_bytes": self._torn.size, "cut_sha256": self._torn.sha256}
            self._put("repair", cut, None)
            self._torn = None

    def rotation_due(self) -> str | None:
        """Returns why the file should be left; None where it should not."""
        if self._end.size >= self._settings.rotate_bytes:
            return "size"
        limit = self._settings.rotate_seconds
        return "age" if limit and self._clock() - self._begun >= limit else None

    def rotate(self, reason: str) -> None:
        """Begins a new file.

        Raises:
            as `append`.
        """
        head, left = self._end.head, self._end.file
        file = JournalFile.create(self._directory / name_of(head.sequence + 1))
        self._former, self._reason, self._begun = left.path.name, reason, self._clock()
        self._end = _End(file, head, 0)
        try:
            if self._settings.fsync is not Fsync.NEVER:
                left.sync()
                sync_directory(self._directory)
        finally:
            left.close()

    def sync(self) -> None:
        """Forces what was written to the disk.

        Raises:
            OSError: the disk did not take it.
        """
        self._end.file.sync()

    def duplicate(self) -> int:
        """Returns a descriptor of the file, for the caller to sync and close."""
        return self._end.file.duplicate()

    def close(self) -> None:
        """Closes the file."""
        self._end.file.close()

    def _open(self) -> _End:
        files = listing(self._directory)
        if not files:
            file = JournalFile.create(self._directory / name_of(1))
            if self._settings.fsync is not Fsync.NEVER:
                sync_directory(self._directory)
            return _End(file, GENESIS, 0)
        end = end_of(files[-1])
        self._former = files[-2].name if files[1:] else ""
        self._torn = end.torn
        if end.first is None or end.head is None:
            head = self._head_before(files)
        else:
            head, self._oldest = end.head, _oldest_of(end.first)
            self._begun = datetime.fromisoformat(end.first.text("time")).timestamp()
        return _End(JournalFile.open(files[-1], end.size), head, end.size)

    def _head_before(self, files: Sequence[Path]) -> Head:
        """A crash at a rotation leaves a file without a record: the one before it counts."""
        former = end_of(files[-2]) if files[1:] else End(GENESIS, 0, None, None)
        head, name = former.head, files[-1].name
        self._oldest = _oldest_of(former.first)
        if head is None or former.torn or name != name_of(head.sequence + 1):
            raise InternalError(
                f"the journal in {self._directory} was changed: its last file, {name}, has no "
                "record, and does not follow the one before; look at it with `journal verify`, and "
                "move the folder away to begin a new one"
            )
        return head

    def _regain(self) -> None:
        """Takes up what an interrupted call wrote; a file that somebody changed is left."""
        file, head, size = self._end.file, self._end.head, self._end.size
        last = self._last
        # A record of somebody else has a right hash too, and must not be signed with ours.
        if last is not None and last.prev == head.digest and (file.size() or 0) > size:
            left = file.read(size, len(last.line) + 1)
            if left == last.line:
                self._end = _End(file, last.head, size + len(left))
                return
            if last.line.startswith(left):
                file.cut(size)
                self._torn = Torn.of(left)
                return
        log.error(
            "the journal's file %s was changed or removed by somebody else; a new file goes on "
            "from record %s, and `journal verify` shows what is missing",
            file.path,
            head,
        )
        self.rotate("disturbed")

    def _put(self, kind: str, members: Mapping[str, Json], sign: Sign | None) -> Record:
        end = self._end
        record = write(
            end.head.sequence + 1,
            {
                "time": written_time(self._clock()),
                "instance": self._instance,
                "kind": kind,
                **members,
                "prev": end.head.digest,
            },
            sign,
        )
        self._last = record
        end.file.append(record.line, end.size)
        self._end = _End(end.file, record.head, end.size + len(record.line))
        return record

    def _rotation(self) -> dict[str, Json]:
        """What a new file begins with; who removes files cannot change what it says is there."""
        keep = self._settings.keep_files
        files = listing(self._directory)
        if keep and len(files) > keep:
            self._oldest = max(self._oldest, sequence_of(files[-keep]) or 1)
        former = bounded(self._former, MAX_TEXT)
        return {"former": former, "oldest": self._oldest, "reason": self._reason}

    def _remove_old(self) -> None:
        if not self._settings.keep_files:
            return
        for path in listing(self._directory):
            if (sequence_of(path) or 0) < self._oldest:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    log.warning("%s cannot be removed: %s", path, error.strerror)


def _oldest_of(first: Record | None) -> int:
    """Returns what the first record of a file says of the first file."""
    return first.number("oldest") if first is not None and first.kind == "rotation" else 1


def written_time(seconds: float) -> str:
    """Returns an instant as records write it: RFC 3339 in UTC, with microseconds."""
    instant = datetime.fromtimestamp(seconds, UTC)
    return instant.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
