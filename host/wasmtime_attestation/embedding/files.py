"""Files that a user or a configuration names: endorsements, roots, policies, issuers."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from wasmtime_attestation import issuer_config
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import MAX_SIZE, spki_sha256
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy import PRESETS, AppraisalPolicy, preset, read
from wasmtime_attestation.policy.source import MAX_SIZE as MAX_POLICY
from wasmtime_attestation.policy.source import Source
from wasmtime_attestation.verifier.issuers import Issuer, check_distinct

log = logging.getLogger(__name__)
MAX_FILES = 1000
"""Files and folders in a folder of endorsements."""
MAX_FOLDER = 16 << 20
"""Bytes that are read of a folder: so many endorsements are no set for one verification."""
MAX_ISSUERS = 64
Reader = Callable[[Path, int], bytes]
"""Returns the content of a file of at most so many bytes."""


def content(path: Path, limit: int) -> bytes:
    """Reads a file.

    Raises:
        InvalidArgumentError: it cannot be read, or has more than `limit` bytes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise InvalidArgumentError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > limit:
        raise InvalidArgumentError(f"{path} has more than {limit} bytes; it is no such input")
    return data


def endorsements(paths: Iterable[Path]) -> Endorsements:
    """Reads files of endorsements, and folders of them.

    Raises:
        InvalidArgumentError: a file is none, or there are too many.
    """
    found = Endorsements()
    for path in paths:
        found += _folder(path) if path.is_dir() else _file(path)
        found.check_size()
    return found


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


def roots(path: Path) -> list[bytes]:
    """Returns SHA-256 of the SubjectPublicKeyInfo of each root in a file.

    Raises:
        InvalidArgumentError: there is none.
    """
    found = _file(path)
    if not found.certificates:
        raise InvalidArgumentError(f"--trust {path}: there is no certificate in it")
    return [spki_sha256(certificate) for certificate in found.certificates]


def named_policy(name: str, read_file: Reader = content) -> AppraisalPolicy:
    """Reads a policy from a preset's name or a file.

    Raises:
        InvalidArgumentError: it is neither; the message says where the text is wrong.
    """
    return PRESETS[name] if name in PRESETS else read(*policy_source(name, read_file))[0]


def policy_of(policy: AppraisalPolicy | str | os.PathLike[str]) -> AppraisalPolicy:
    """Returns the policy that is meant: itself, a preset by its name, or that of a file.

    Raises:
        InvalidArgumentError: there is none, or its text is wrong; the message says where.
    """
    return policy if isinstance(policy, AppraisalPolicy) else named_policy(os.fspath(policy))


def policy_source(name: str, read_file: Reader = content) -> tuple[str, Source]:
    """Returns a policy's name where its text gives none, and the text: of a preset or a file.

    Raises:
        InvalidArgumentError: there is neither, or it is no TOML.
    """
    if name in PRESETS:
        return name, preset(name)
    try:
        data = read_file(Path(name), MAX_POLICY)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(
            f"a policy is a file or a preset ({', '.join(PRESETS)}): {error}"
        ) from error
    return Path(name).stem, Source.of(name, data)


def issuers(paths: Sequence[Path]) -> tuple[Issuer, ...]:
    """Reads files of issuers; keys are looked for beside the file that names them.

    Raises:
        InvalidArgumentError: a file describes no issuer, its keys cannot be read, or two issuers
            answer for the same tokens.
    """
    if len(paths) > MAX_ISSUERS:
        raise InvalidArgumentError(f"there are more than {MAX_ISSUERS} issuers")
    found = tuple(map(_issuer, paths))
    try:
        check_distinct(found)
    except ValueError as error:
        raise InvalidArgumentError(f"issuers: {error}") from error
    return found


def _issuer(path: Path) -> Issuer:
    found = issuer_config.load(path.stem, content(path, MAX_POLICY), str(path))
    if found.keys_file is None:
        return found.issuer
    return found.with_keys(content(path.parent / found.keys_file, MAX_SIZE))


def _file(path: Path) -> Endorsements:
    return Endorsements.from_files([(str(path), content(path, MAX_SIZE))])


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
