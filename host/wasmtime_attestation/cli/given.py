"""What the user gave besides the input: endorsements, trusted roots, a policy."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path

from wasmtime_attestation.cli import options
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import MAX_SIZE, spki_sha256
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy import PRESETS, AppraisalPolicy, preset, read
from wasmtime_attestation.policy.source import MAX_SIZE as MAX_POLICY
from wasmtime_attestation.policy.source import Source

log = logging.getLogger(__name__)
MAX_FILES = 1000
"""Files and folders in a folder of endorsements."""
MAX_FOLDER = 16 << 20
"""Bytes that are read of a folder: so many endorsements are no set for one verification."""


def endorsements(paths: tuple[Path, ...]) -> Endorsements:
    """Reads files of endorsements, and folders of them.

    Raises:
        InvalidArgumentError: a file is none, or there are too many.
    """
    found = Endorsements()
    for path in paths:
        found += _folder(path) if path.is_dir() else _file(path)
        found.check_size()
    return found


def anchors(trust: tuple[Path, ...]) -> Anchors:
    """Returns the vendors' roots, and those in files that the user named.

    Raises:
        InvalidArgumentError: a file has no certificate.
    """
    return Anchors.of_vendors().trusting([root for path in trust for root in _roots(path)])


def policy(name: str) -> AppraisalPolicy:
    """Reads a policy from a preset's name or a file.

    Raises:
        InvalidArgumentError: it is neither; the message says where the text is wrong.
    """
    return PRESETS[name] if name in PRESETS else read(*policy_source(name))[0]


def policy_source(name: str) -> tuple[str, Source]:
    """Returns a policy's name where its text gives none, and the text: of a preset or a file.

    Raises:
        InvalidArgumentError: there is neither, or it is no TOML.
    """
    if name in PRESETS:
        return name, preset(name)
    try:
        data = options.read_file(Path(name), MAX_POLICY)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(
            f"a policy is a file or a preset ({', '.join(PRESETS)}): {error}"
        ) from error
    return Path(name).stem, Source.of(name, data)


def _file(path: Path) -> Endorsements:
    return Endorsements.from_files([(str(path), options.read_file(path, MAX_SIZE))])


def named_endorsements(path: Path) -> list[tuple[str, Endorsements]]:
    """Reads a file or folder of endorsements, file by file; other files in a folder are left out.

    Raises:
        InvalidArgumentError: there is none, or there are too many.
    """
    if not path.is_dir():
        return [(path.name, _file(path))]
    found = []
    for file in _files(path):
        try:
            found.append((file.name, _file(file)))
        except InvalidArgumentError as error:
            log.info("left out: %s", error)
    if not any(one for _, one in found):
        raise InvalidArgumentError(
            f"{path} has no certificate, revocation list or collateral in it"
        )
    return found


def _folder(folder: Path) -> Endorsements:
    """Takes what a folder has; files that are no endorsements may stand there too."""
    found = Endorsements()
    for _, one in named_endorsements(folder):
        found += one
        found.check_size()
    return found


def _files(folder: Path) -> list[Path]:
    try:
        entries = list(itertools.islice(folder.iterdir(), MAX_FILES + 1))
        # What is too large for an endorsement is left out when it is read, after its start.
        files = {entry: min(entry.stat().st_size, MAX_SIZE) for entry in entries if entry.is_file()}
    except OSError as error:
        raise InvalidArgumentError(f"{folder} cannot be read: {error.strerror}") from error
    if len(entries) > MAX_FILES:
        raise InvalidArgumentError(
            f"{folder} has more than {MAX_FILES} files; name the ones to use"
        )
    if sum(files.values()) > MAX_FOLDER:
        raise InvalidArgumentError(
            f"{folder} has more than {MAX_FOLDER} bytes to read; name the files to use"
        )
    return sorted(files)


def _roots(path: Path) -> list[bytes]:
    found = _file(path)
    if not found.certificates:
        raise InvalidArgumentError(f"--trust {path}: there is no certificate in it")
    return [spki_sha256(certificate) for certificate in found.certificates]
