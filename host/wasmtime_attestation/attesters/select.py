"""Picks the attester of this machine: the one that detection found, or the one that was named.

Nothing is imported or opened before evidence or information is asked for: most guests start
without either.
"""

from __future__ import annotations

from collections.abc import Callable

from wasmtime_attestation.attesters import Attester, collect_quoting
from wasmtime_attestation.attesters.detect import Detection, detect
from wasmtime_attestation.attesters.providers import PROVIDERS
from wasmtime_attestation.errors import InvalidArgumentError, UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.wit import TeeInfo


def attester_of(provider: str) -> Attester:
    """Returns the attester of a provider; each is imported when it is needed.

    Args:
        provider: one of `PROVIDERS`.

    Raises:
        InvalidArgumentError: there is no such provider.
    """
    match provider:
        case "configfs-tsm":
            from wasmtime_attestation.attesters.tsm import TsmAttester

            return TsmAttester()
        case "sev-guest":
            from wasmtime_attestation.attesters.sev_guest import SevGuestAttester

            return SevGuestAttester()
        case "tdx-guest":
            from wasmtime_attestation.attesters.tdx_guest import TdxGuestAttester

            return TdxGuestAttester()
        case "azure-vtpm":
            from wasmtime_attestation.attesters.azure import AzureAttester

            return AzureAttester()
        case _:
            raise InvalidArgumentError(f"{provider} is none of {', '.join(PROVIDERS)}")


def ask(provider: str) -> TeeInfo:
    """Asks a device what it is.

    Raises:
        UnsupportedError: nothing is behind it.
        UnavailableError: it did not answer.
    """
    if provider == "configfs-tsm":
        from wasmtime_attestation.attesters import tsm

        tsm.provider()  # raises with the reason, which the attester only logs
    return attester_of(provider).info()


def detect_here() -> Detection:
    """Looks at this machine and asks the devices that it has."""
    return detect(ask=ask)


class DetectedAttester:
    """The attester of this machine, which is looked at when first asked.

    Args:
        look: finds out what the machine is; this one is looked at where none is given.
    """

    def __init__(self, look: Callable[[], Detection] | None = None) -> None:
        self._look = look or detect_here
        self._detection: Detection | None = None

    @property
    def detection(self) -> Detection:
        """What was found; looked for again while a device that is there does not answer."""
        if self._detection is None or self._detection.is_denied:
            self._detection = self._look()
        return self._detection

    def info(self) -> TeeInfo:
        """Says what was found."""
        return self.detection.info

    def collect(self, report_data: bytes) -> Evidence:
        """Collects evidence by the best way that the machine offers; the others are fall-backs.

        Only a way that is not there after all gives way to the next: a device that failed is
        left alone, since another request may cost it its keys.

        Raises:
            UnsupportedError: this machine has no evidence.
            UnavailableError: a device did not answer, or this user may not ask it.
        """
        return self._best(lambda attester: attester.collect(report_data))

    def collect_quoting(self, report_data: bytes, nonce: bytes) -> Evidence:
        """Collects as `collect` does; a vTPM's quote answers the nonce."""
        return self._best(lambda attester: collect_quoting(attester, report_data, nonce))

    def _best(self, collect: Callable[[Attester], Evidence]) -> Evidence:
        if not self.detection.providers:
            raise self.detection.refusal
        *former, last = self.detection.providers
        for provider in former:
            try:
                return collect(attester_of(provider))
            except UnsupportedError:
                continue
        return collect(attester_of(last))
