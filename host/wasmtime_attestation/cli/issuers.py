"""The issuers that `--issuer` names, and where their keys are."""

from __future__ import annotations

from pathlib import Path

from wasmtime_attestation import issuer_config
from wasmtime_attestation.cli import options
from wasmtime_attestation.endorsements.x509 import MAX_SIZE
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy.source import MAX_SIZE as MAX_FILE
from wasmtime_attestation.verifier.issuers import Issuer, check_distinct

MAX_ISSUERS = 64


def read(paths: tuple[Path, ...]) -> tuple[Issuer, ...]:
    """Reads the files of issuers; keys are looked for beside the file that names them.

    Raises:
        InvalidArgumentError: a file describes no issuer, its keys cannot be read, or two issuers
            answer for the same tokens.
    """
    if len(paths) > MAX_ISSUERS:
        raise InvalidArgumentError(f"there are more than {MAX_ISSUERS} issuers")
    issuers = tuple(map(_read, paths))
    try:
        check_distinct(issuers)
    except ValueError as error:
        raise InvalidArgumentError(f"--issuer: {error}") from error
    return issuers


def _read(path: Path) -> Issuer:
    found = issuer_config.load(path.stem, options.read_file(path, MAX_FILE), str(path))
    if found.keys_file is None:
        return found.issuer
    return found.with_keys(options.read_file(path.parent / found.keys_file, MAX_SIZE))
