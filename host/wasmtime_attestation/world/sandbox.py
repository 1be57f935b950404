"""What a guest can reach and use up: WASI, closed unless opened, and the limits of its store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wasmtime import Store, WasiConfig, WasmtimeError

from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.world.limits import Limits
from wasmtime_attestation.world.stdio import Stdio, feed


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory of the host's that a guest may use.

    Attributes:
        host: where it is.
        guest: what it is called in the guest.
        writable: whether the guest may change what is in it.
    """

    host: Path
    guest: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What one run of a guest gets: these arguments, directories and variables, and standard IO.

    Attributes:
        argv: the guest's name and its arguments.
        dirs: the directories that it may use.
        env: the environment variables that it sees, as pairs of name and value.
        stdio: what its standard streams are.
        stdin: what it reads, unless it reads this process's standard input.
    """

    argv: Sequence[str]
    dirs: Sequence[Directory] = ()
    env: Sequence[tuple[str, str]] = ()
    stdio: Stdio = Stdio.CAPTURED
    stdin: bytes = b""

    def wasi(self) -> WasiConfig:
        """Returns this as wasmtime's, with output that leads nowhere unless it is inherited.

        Raises:
            InvalidArgumentError: a directory is not there, or a text is not
                one that WASI can carry.
        """
        config = WasiConfig()
        config.argv = [_text(argument, "an argument") for argument in self.argv]
        config.env = [(_variable(name), _text(value, name)) for name, value in self.env]
        for directory in self.dirs:
            _preopen(config, directory)
        if self.stdio is Stdio.INHERITED:
            config.inherit_stdin()
            config.inherit_stdout()
            config.inherit_stderr()
        elif self.stdin:
            feed(config, self.stdin)
        return config


def apply(limits: Limits, store: Store) -> None:
    """Gives a store its limits."""
    store.set_limits(
        memory_size=limits.memory_bytes,
        table_elements=limits.table_elements,
        instances=limits.instances,
        tables=limits.tables,
        memories=limits.memories,
    )
    if limits.fuel is not None:
        store.set_fuel(limits.fuel)


def _preopen(config: WasiConfig, directory: Directory) -> None:
    host = _text(str(directory.host), "a directory's path")
    guest = _text(directory.guest, "a directory's name in the guest")
    if not directory.host.is_dir():
        raise InvalidArgumentError(f"{host} is not a directory, so no guest can use it")
    try:
        config.preopen_dir(host, guest, directory.writable)
    except WasmtimeError as error:
        raise InvalidArgumentError(
            f"{host} cannot be opened for a guest; check who may read it"
        ) from error


def _variable(name: str) -> str:
    if not name or "=" in name:
        raise InvalidArgumentError(f"{name!r} is no name for an environment variable")
    return _text(name, "an environment variable's name")


def _text(text: str, what: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(
            f"{what} holds a lone surrogate, which UTF-8 cannot encode; pass text as UTF-8"
        ) from error
    if "\0" in text:  # wasmtime-py would cut it off there
        raise InvalidArgumentError(f"{what} holds a NUL character, which WASI cannot pass")
    return text
