"""A host: one configuration, and everything that guests are served from, started when needed."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from wasmtime_attestation import wit
from wasmtime_attestation.capabilities.settings import Settings as Rules
from wasmtime_attestation.capabilities.terms import GuestIdentity, IssuedKind
from wasmtime_attestation.config import Configuration
from wasmtime_attestation.config.host_settings import REPLAY
from wasmtime_attestation.embedding.configuration import (
    Config,
    configuration_of,
    from_environment,
    names_files,
)
from wasmtime_attestation.embedding.lazy_world import LazyWorld
from wasmtime_attestation.embedding.machines import SIMULATED, machine_of, recording_of
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.guarding.guard import Guard

if TYPE_CHECKING:
    import os

    import wasmtime
    import wasmtime.component

    from wasmtime_attestation.attesters.completed import Addition
    from wasmtime_attestation.attesters.machine import Machine
    from wasmtime_attestation.embedding.starting import Started
    from wasmtime_attestation.evidence.envelope import Evidence
    from wasmtime_attestation.journal.writer import Journal
    from wasmtime_attestation.service import AttestationService
    from wasmtime_attestation.world.guest import Guest


class AttestationHost:
    """Serves guests with the world of `wasmtime:attestation`; threads may share it.

    The configuration is checked at once, with the files that it names. Keys are made, devices
    looked at and services asked when a guest first needs them. Where there is a journal, close
    the host, or use it in a `with` statement, so that the journal's end is signed.

    Args:
        config: a `Configuration`, the path of a TOML file, what such a file has as a mapping, or
            None for the defaults: evidence of whatever this machine is, and evidence tokens.
        tee: `host.tee` of the configuration: `auto`, `none`, `simulated`, a provider's name or
            `replay:FILE`.
        rules: what guests may do; None for the configuration's `[guests]`.
        additions: what is added to evidence before a token carries it, in order.

    Raises:
        InvalidArgumentError: something in the configuration cannot be used; the message says
            where it is written.
        UnavailableError: the keys of a configured service's tokens cannot be read.
    """

    def __init__(
        self,
        config: Config = None,
        *,
        tee: str | None = None,
        rules: Rules | None = None,
        additions: Sequence[Addition] = (),
    ) -> None:
        self.configuration: Configuration = configuration_of(config, tee)
        self._rules = self.configuration.guests if rules is None else rules
        self._additions = tuple(additions)
        self._recording = recording_of(self.configuration.host)
        self._started: Started | None = None
        self._journal: Journal | None = None
        self._guard: Guard | None = None
        self._is_closed = False
        self._lock = threading.RLock()
        if names_files(self.configuration):
            self.start()

    @classmethod
    def from_environment(cls, file: str | os.PathLike[str] | None = None) -> AttestationHost:
        """Returns the host that the command line would start.

        Args:
            file: as `--config` names it; without it the user's own file counts, and
                `WASMTIME_ATTESTATION_…`.

        Raises:
            InvalidArgumentError: something cannot be read or makes no sense.
        """
        return cls(from_environment(file))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Signs the end of the journal, if there is one; no guest is linked afterwards.

        Guests that still run go on, but their calls fail where there is a journal, since they
        can no longer be recorded. Safe to call again.
        """
        with self._lock:
            self._is_closed = True
            if self._journal is not None:
                self._journal.close()

    @property
    def is_simulated(self) -> bool:
        """Whether its tokens prove nothing about hardware: say so to whoever reads them."""
        recorded = self._recording
        return self.configuration.host.tee == SIMULATED or (
            recorded is not None and recorded.simulated_root is not None
        )

    @property
    def is_replayed(self) -> bool:
        """Whether its tokens are about a recording, and nothing about this machine."""
        return self.configuration.host.tee.startswith(REPLAY)

    @property
    def simulated_root(self) -> bytes:
        """The root of a simulation in PEM, for those who want to trust it (`verify(trust=…)`).

        Raises:
            InvalidArgumentError: this host simulates nothing.
        """
        if self.configuration.host.tee != SIMULATED:
            raise InvalidArgumentError('there is a simulated root only with the TEE "simulated"')
        return self.start().simulated_root_pem or b""

    @property
    def service(self) -> AttestationService:
        """The world in plain Python, without rules and journal; it is started here."""
        return self.start().service

    def start(self) -> Started:
        """Starts what guests are served from, unless that was done; nobody needs to call it.

        Raises:
            AttestationError: it cannot be started.
        """
        if self._started is None:
            with self._lock:
                if self._started is None:
                    from wasmtime_attestation.embedding import starting  # cryptography, and more

                    self._started = starting.start(
                        self.configuration, self._machine, self._recording, self._additions
                    )
        return self._started

    def detect_tee(self) -> wit.TeeInfo:
        """Says which trusted execution environment was found."""
        return self.service.detect_tee() if self._unstarted is None else self._unstarted.info()

    def gpus(self) -> tuple[wit.GpuInfo, ...]:
        """Lists the GPUs that the host can see.

        Raises:
            UnsupportedError: there is none.
            UnavailableError: the driver did not answer.
        """
        return self.service.gpus() if self._unstarted is None else self._unstarted.gpus()

    def attest(self, target: wit.Target, challenge: wit.Challenge) -> wit.AttestationResult:
        """Collects fresh evidence for a challenge and returns the token that carries it.

        No guest is involved: the token names none, and rules for guests do not apply. The
        journal, if there is one, records it.

        Args:
            target: `TargetVm()`, `TargetGpu(index)` or `TargetAll()`.
            challenge: what the evidence answers: a nonce of 8 to 64 bytes, and perhaps user data
                (at most 64 bytes) and an audience.

        Raises:
            UnsupportedError: this machine has no such target.
            UnavailableError: a device or service did not answer.
            AttestationError: what the journal raises, as `world_for` does.
        """
        world = Guard(None, self._open_journal()).guarded(LazyWorld(self, None), GuestIdentity())
        return world.attest(target, challenge)

    def collect(self, target: wit.Target, report_data: bytes) -> tuple[Evidence, ...]:
        """Collects fresh evidence without a token; see the function `collect`."""
        return self.start().machine.collect(target, report_data)

    def world_for(self, guest: Guest | None = None) -> wit.World:
        """Returns the world as one guest sees it: its digest, the rules for it, the journal.

        Args:
            guest: whose calls these will be. None where the caller does not know its bytes: its
                tokens name no guest then, and rules by digest or path do not apply.

        Raises:
            InvalidArgumentError: this host is closed, or others may write the journal's folder.
            UnavailableError: the journal is another process's, or cannot be written.
            InternalError: the journal was changed, or cannot be written.
        """
        identity = identity_of(guest)
        return self._open_guard().guarded(LazyWorld(self, identity.digest), identity)

    def link_component(
        self,
        linker: wasmtime.component.Linker,
        guest: Guest | None = None,
        component: wasmtime.component.Component | None = None,
    ) -> None:
        """Defines the world in a linker for components; one linker serves one guest.

        Enter the guest through `call_guest`: exceptions that end its run come out of it.

        Args:
            linker: of the caller's own engine, with whatever else it has.
            guest: whose tokens will state the digest of its bytes; see `world_for`.
            component: the guest, compiled. wasmtime compares no types of host functions; where
                this is given, what the component imports of this package is checked here.

        Raises:
            StartError: the component imports what this host does not have.
            WasmtimeError: the linker has some of it already.
            AttestationError: what `world_for` raises.
        """
        from wasmtime_attestation.embedding import linking  # wasmtime

        linking.link_component(linker, self.world_for(guest), component)

    def link_core(self, linker: wasmtime.Linker, guest: Guest | None = None) -> None:
        """Defines the world in a linker for core modules, as `docs/legacy-abi.md` has it.

        Args:
            linker: of the caller's own engine, with whatever else it has; it serves one guest.
            guest: whose tokens will state the digest of its bytes; see `world_for`.

        Raises:
            WasmtimeError: the linker has some of it already.
            AttestationError: what `world_for` raises.
        """
        from wasmtime_attestation.embedding import linking  # wasmtime

        linking.link_core(linker, self.world_for(guest))

    @property
    def recorder(self) -> Journal | None:
        """The journal, which is opened here; None where none is kept. Raises as `world_for`."""
        return self._open_journal()

    @functools.cached_property
    def _machine(self) -> Machine | None:
        return machine_of(self.configuration.host)

    @property
    def _unstarted(self) -> Machine | None:
        """The machine, as long as nothing else is needed to say what it is."""
        return self._machine if self._started is None else None

    def _open_guard(self) -> Guard:
        with self._lock:
            if self._guard is None:
                kinds = frozenset(map(IssuedKind, self.configuration.host.tokens))
                self._guard = Guard(self._rules, self._open_journal(), kinds)
            self._check_open()
            return self._guard

    def _open_journal(self) -> Journal | None:
        with self._lock:
            self._check_open()
            if self._journal is None and self.configuration.journal.directory is not None:
                from wasmtime_attestation.embedding import journaling  # most hosts keep none

                self._journal = journaling.opened(
                    self.configuration.journal, self.service, attests=not self.is_replayed
                )
            return self._journal

    def _check_open(self) -> None:
        if self._is_closed:
            raise InvalidArgumentError("this host is closed: make another one for new guests")


def identity_of(guest: Guest | None) -> GuestIdentity:
    """Returns a guest as rules and the journal know it."""
    if guest is None:
        return GuestIdentity()
    path = None if guest.path is None else str(guest.path)
    return GuestIdentity(guest.name, guest.digest, path)
