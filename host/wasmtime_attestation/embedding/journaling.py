"""Opens the journal of a host, with a token that attests its key where there is a TEE."""

from __future__ import annotations

import logging

from wasmtime_attestation import wit
from wasmtime_attestation.errors import UnavailableError, UnsupportedError
from wasmtime_attestation.journal.settings import Settings
from wasmtime_attestation.journal.writer import Journal
from wasmtime_attestation.service import AttestationService

log = logging.getLogger(__name__)


def opened(settings: Settings, service: AttestationService, *, attests: bool) -> Journal:
    """Opens a journal.

    Args:
        settings: how it is kept; they name a folder.
        service: the host, whose key signs.
        attests: whether the key can be attested; a recording attests none.

    Raises:
        InvalidArgumentError: others may write the folder.
        UnavailableError: another process writes there, or nothing can be written.
        InternalError: the journal was changed, or cannot be written.
    """
    journal = Journal(settings, service.issuer)
    try:
        if attests and service.detect_tee().supports_attestation:
            _attest(journal, service)
    except BaseException:
        journal.close()
        raise
    return journal


def _attest(journal: Journal, service: AttestationService) -> None:
    def issue(nonce: bytes, audience: str) -> str:
        challenge = wit.Challenge(nonce, None, audience)
        return service.attest_host(None, wit.TargetVm(), challenge).token

    try:
        journal.attest(issue)
    except (UnsupportedError, UnavailableError) as error:
        log.warning("the journal's key is not attested: %s", error)
