"""Options and arguments that several commands share, and how they are read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import click

from wasmtime_attestation.cli import start_logging
from wasmtime_attestation.config.host_settings import REPLAY as REPLAY
from wasmtime_attestation.config.host_settings import TEES
from wasmtime_attestation.errors import InvalidArgumentError

log = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])


def hex_bytes(smallest: int, largest: int) -> Callable[[str], bytes]:
    """Returns a converter for bytes in hex of a size between two limits."""

    def convert(text: str) -> bytes:
        try:
            data = bytes.fromhex(text)
        except ValueError:
            raise click.BadParameter("it is not hex") from None
        if not smallest <= len(data) <= largest:
            sizes = str(smallest) if smallest == largest else f"{smallest} to {largest}"
            raise click.BadParameter(f"it has {len(data)} bytes; {sizes} are needed")
        return data

    return convert


def instant(text: str) -> datetime:
    """Converts RFC 3339; a time without a zone is refused, since it names no instant."""
    try:
        value = datetime.fromisoformat(text)
        if value.tzinfo is not None:
            return value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter("it is not like 2026-03-01T00:00:00Z") from None
    raise click.BadParameter("it needs a time zone, as in 2026-03-01T00:00:00Z")


def now() -> datetime:
    """Returns the present second."""
    return datetime.now(UTC).replace(microsecond=0)


def at(function: F) -> F:
    """--at TIME."""
    return click.option("--at", type=instant, help="Verify as of this instant instead of now.")(
        function
    )


def endorsements(function: F) -> F:
    """--endorsements FILE|DIR."""
    return click.option(
        "--endorsements",
        "endorsement_paths",
        type=click.Path(exists=True, path_type=Path),
        multiple=True,
        metavar="FILE|DIR",
        help="Certificates, revocation lists, Intel's collateral, issuers' keys; repeatable.",
    )(function)


def offline(function: F) -> F:
    """--offline, or WASMTIME_ATTESTATION_OFFLINE=1."""
    return click.option(
        "--offline",
        is_flag=True,
        envvar="WASMTIME_ATTESTATION_OFFLINE",
        help="Fetch nothing: use what is given, and what was fetched before.",
    )(function)


def trust(function: F) -> F:
    """--trust FILE."""
    return click.option(
        "--trust",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        multiple=True,
        metavar="FILE",
        help="A root (PEM) to trust besides the vendors'; what ends there is SIMULATED.",
    )(function)


def nonce(function: F) -> F:
    """--nonce HEX."""
    return click.option(
        "--nonce", type=hex_bytes(8, 64), metavar="HEX", help="The challenge, 8 to 64 bytes."
    )(function)


def audience(function: F) -> F:
    """--audience S."""
    return click.option("--audience", metavar="S", help="Whom the token is for.")(function)


def _tee(text: str) -> str:
    if text in TEES or (text.startswith(REPLAY) and text != REPLAY):
        return text
    raise click.BadParameter(f"it is none of {', '.join(TEES)}, {REPLAY}FILE")


def tee(function: F) -> F:
    """--tee auto|none|simulated|PROVIDER|replay:FILE."""
    return click.option(
        "--tee",
        type=_tee,
        metavar="|".join((*TEES, f"{REPLAY}FILE")),
        help="Where evidence comes from; auto, the default, looks for what this machine has.",
    )(function)


def gpus(function: F) -> F:
    """--gpus N."""
    return click.option(
        "--gpus",
        type=click.IntRange(min=0, max=256),
        metavar="N",
        help="How many GPUs this machine must have; with another number, nothing is attested. "
        "A simulated TEE has as many.",
    )(function)


def trust_out(function: F) -> F:
    """--trust-out FILE."""
    return click.option(
        "--trust-out",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write the simulated root here, for `verify --trust`.",
    )(function)


def as_json(function: F) -> F:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def verbose(function: F) -> F:
    """--verbose, also after the command's name."""
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_start_verbose,
        help="Log more, to standard error.",
    )(function)


def _start_verbose(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    del ctx, param
    if value:
        start_logging(verbose=True)


def write_file(path: Path, data: bytes) -> None:
    """Writes a file that the user named.

    Raises:
        InvalidArgumentError: it cannot be written.
    """
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InvalidArgumentError(f"{path} cannot be written: {error.strerror}") from error


def read_file(path: Path, limit: int) -> bytes:
    """Reads a file that the user named, or standard input for `-`.

    Raises:
        InvalidArgumentError: it cannot be read, or has more than `limit` bytes.
    """
    data = read_start(path, limit + 1)
    if len(data) > limit:
        raise InvalidArgumentError(f"{path} has more than {limit} bytes; it is no such input")
    return data


def read_start(path: Path, size: int) -> bytes:
    """Reads at most `size` bytes of a file that the user named, or of standard input for `-`.

    Raises:
        InvalidArgumentError: it cannot be read.
    """
    with open_input(path) as file:
        try:
            return file.read(size)
        except OSError as error:
            raise InvalidArgumentError(f"{path} cannot be read: {error.strerror}") from error


@contextmanager
def open_input(path: Path) -> Iterator[BinaryIO]:
    """Opens a file that the user named, or standard input for `-`.

    Raises:
        InvalidArgumentError: it cannot be opened.
    """
    try:
        opened = click.open_file(str(path), "rb")
    except OSError as error:
        raise InvalidArgumentError(f"{path} cannot be read: {error.strerror}") from error
    except RuntimeError as error:  # click's, for a standard input that is closed
        raise InvalidArgumentError("standard input is closed; name a file") from error
    with opened as file:
        yield cast("BinaryIO", file)
