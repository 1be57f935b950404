"""Keeps a journal: what a host holds and tells every decision."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Protocol, Self

from wasmtime_attestation.errors import InternalError, InvalidArgumentError, UnavailableError
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.journal.attestation import AUDIENCE
from wasmtime_attestation.journal.chain_writer import ChainWriter, written_time
from wasmtime_attestation.journal.decision import MAX_TEXT, Decision, bounded
from wasmtime_attestation.journal.form import MAX_TOKEN
from wasmtime_attestation.journal.keeper import Keeper
from wasmtime_attestation.journal.lock import lock, named
from wasmtime_attestation.journal.record import Head
from wasmtime_attestation.journal.settings import Fsync, OnFailure, Settings

log = logging.getLogger(__name__)
Failure = OSError | InvalidArgumentError
_FAILURES = (OSError, InvalidArgumentError)
_CALLS = {OnFailure.STOP: "refused", OnFailure.CONTINUE: "answered"}


class Signer(Protocol):
    """Whose key signs checkpoints; a `TokenIssuer` is one."""

    @property
    def key_thumbprint(self) -> bytes:
        """The key's SHA-256 thumbprint (RFC 7638)."""

    @property
    def key_jwk(self) -> dict[str, Json]:
        """The public key, on P-384."""

    def sign_checkpoint(self, data: bytes) -> bytes:
        """Signs a checkpoint; returns R and S in 96 bytes."""


class Journal:
    """A journal that is open for writing; threads may share it.

    Args:
        settings: how it is kept; it names a folder.
        signer: signs checkpoints; None for a journal without signatures.
        clock: the time, in seconds since the Unix epoch.

    Raises:
        InvalidArgumentError: others may write the folder or its files.
        UnavailableError: another process writes there, or nothing can be written.
        InternalError: the journal was changed in a way that no power cut explains.
    """

    def __init__(
        self, settings: Settings, signer: Signer | None, clock: Callable[[], float] = time.time
    ) -> None:
        if settings.directory is None:
            raise InvalidArgumentError("a journal needs a folder: set journal.directory")
        self._settings, self._signer, self._clock = settings, signer, clock
        self._mutex = threading.Lock()
        self._process = os.getpid()
        self._lost, self._lost_since, self._lost_cause = 0, 0.0, ""
        self._unsigned, self._sign_at = 0, 0.0
        self._attestation: str | None = None
        self._descriptor = lock(settings.directory)
        try:
            self._chain = self._begin()
            self._keeper = Keeper(self._period(), self._work)
        except BaseException:
            os.close(self._descriptor)
            raise
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def head(self) -> Head:
        """The head of the chain: what to keep elsewhere, for `journal verify --head`."""
        with self._mutex:
            return self._chain.head

    def record(self, decision: Decision) -> None:
        """Records a decision; with `fsync = "always"`, it is on the disk when this returns.

        Raises:
            InternalError: it cannot be written and the settings want calls to fail then, or the
                journal is closed.
        """
        self._guarded(lambda: self._append("decision", decision.members()))

    def attest(self, issue: Callable[[bytes, str], str]) -> None:
        """Records a token that attests the signer's key, so that auditors can verify it.

        Args:
            issue: returns an evidence token for a nonce, the hash of the record with which this
                process opened the journal, and an audience, which no relying party has.

        Raises:
            InternalError: as `record`.
            AttestationError: what `issue` raises.
        """
        token = issue(self._nonce, AUDIENCE)
        digest = hashlib.sha256(token.encode()).hexdigest()
        kept = token if len(token) <= MAX_TOKEN else None
        self._guarded(lambda: self._append("attestation", {"token_sha256": digest, "token": kept}))
        self._attestation = digest

    def close(self) -> None:
        """Signs what is not signed yet, and lets others write; safe to call again."""
        with self._mutex:
            if not self._is_open:
                return
            self._is_open = False
        self._keeper.stop()
        try:
            self._finish()
        except _FAILURES as error:
            log.error("the journal's end is not signed: %s", _reason(error))  # noqa: TRY400
        finally:
            self._chain.close()
            os.close(self._descriptor)

    def _begin(self) -> ChainWriter:
        try:
            chain = ChainWriter(self._settings, secrets.token_bytes(16), self._clock)
            try:
                record = chain.append("open", self._opening())
                chain.settle()
            except BaseException:
                chain.close()
                raise
        except OSError as error:
            raise UnavailableError(
                f"the journal in {self._settings.directory} cannot be written: {named(error)}; "
                "free the disk, or name another folder"
            ) from error
        self._nonce = bytes.fromhex(record.text("hash"))
        self._signed: Head | None = None
        return chain

    def _opening(self) -> dict[str, Json]:
        signer = self._signer
        return {
            "key_thumbprint": signer.key_thumbprint.hex() if signer else None,
            "checkpoint_records": self._settings.checkpoint_records if signer else None,
        }

    def _finish(self) -> None:
        if self._process != os.getpid():
            return
        self._checkpoint("close")
        if self._settings.fsync is not Fsync.NEVER:
            self._chain.sync()

    def _guarded(self, write: Callable[[], None]) -> None:
        with self._mutex:
            if not self._is_open or self._process != os.getpid():
                raise InternalError("the journal is closed, or another process opened it")
            try:
                write()
            except _FAILURES as error:
                self._fail(error)
        self._keeper.wake()

    def _append(self, kind: str, members: Mapping[str, Json]) -> None:
        self._tell_gap()
        if self._unsigned >= self._settings.checkpoint_records:
            self._checkpoint("records")
        if reason := self._chain.rotation_due():
            self._checkpoint("rotation")
            self._chain.rotate(reason)
        self._chain.append(kind, members)
        if not self._unsigned:
            self._sign_at = time.monotonic() + self._settings.checkpoint_seconds
        self._unsigned += 1
        if self._settings.fsync is Fsync.ALWAYS:
            self._chain.sync()

    def _checkpoint(self, reason: str) -> None:
        if self._signer is None or self._signed == self._chain.head:
            return
        members: dict[str, Json] = {
            "reason": reason,
            "key": self._signer.key_jwk,
            "attestation": self._attestation,
        }
        self._signed = self._chain.append("checkpoint", members, self._signer.sign_checkpoint).head
        self._unsigned = 0

    def _tell_gap(self) -> None:
        if not self._lost:
            return
        gap: dict[str, Json] = {
            "lost": self._lost,
            "since": written_time(self._lost_since),
            "cause": bounded(self._lost_cause, MAX_TEXT),
            "calls": _CALLS[self._settings.on_failure],
        }
        self._chain.append("gap", gap)
        log.warning("the journal goes on; %d decisions are not in it", self._lost)
        self._lost = 0

    def _fail(self, error: Failure) -> None:
        if not self._lost:
            self._lost_since, self._lost_cause = self._clock(), _reason(error)
        self._lost += 1
        stops = self._settings.on_failure is OnFailure.STOP
        problem = (
            f"the journal in {self._settings.directory} cannot be written ({_reason(error)}): "
            f"calls {'fail' if stops else 'ARE ANSWERED WITHOUT A RECORD'} until it can be"
        )
        # The first, second, fourth, eighth ...: loud, and no second full disk.
        if self._lost & (self._lost - 1) == 0:
            log.error("%s; %d so far", problem, self._lost)
        if stops:
            raise InternalError(problem) from error

    def _period(self) -> float:
        settings = self._settings
        if settings.fsync is Fsync.INTERVAL:
            return min(settings.fsync_seconds, settings.checkpoint_seconds)
        return settings.checkpoint_seconds

    def _work(self) -> bool:
        """What the thread does: checkpoints by the clock, and fsync at intervals."""
        with self._mutex:
            if not self._is_open:
                return False
            try:
                if self._unsigned and time.monotonic() >= self._sign_at:
                    self._checkpoint("seconds")
                descriptor = self._chain.duplicate()
            except _FAILURES as error:
                log.error("the journal cannot be written: %s", _reason(error))  # noqa: TRY400
                return True
            more = self._signer is not None and self._unsigned > 0
        try:
            if self._settings.fsync is not Fsync.NEVER:
                os.fdatasync(descriptor)
        except OSError as error:
            log.error("the journal cannot be forced to the disk: %s", _reason(error))  # noqa: TRY400
        finally:
            os.close(descriptor)
        return more


def _reason(error: Failure) -> str:
    return named(error) if isinstance(error, OSError) else error.message
