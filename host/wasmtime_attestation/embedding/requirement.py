"""What a host must satisfy to run a guest, as an embedder names it."""

from __future__ import annotations

import os
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING, TypeAlias

from wasmtime_attestation.embedding.host import AttestationHost
from wasmtime_attestation.embedding.session import Requirement
from wasmtime_attestation.errors import InvalidArgumentError

if TYPE_CHECKING:
    from wasmtime_attestation.policy import AppraisalPolicy

Policy: TypeAlias = "AppraisalPolicy | str | os.PathLike[str]"
"""A policy, the name of a preset, or the path of a file."""
Required: TypeAlias = "Policy | None"


def required_of(host: AttestationHost, policy: Required, every: float | None) -> Requirement | None:
    """Returns the requirement, for which the host is started; None for none.

    Raises:
        InvalidArgumentError: there is no such policy; that is no time.
        AttestationError: the host cannot be started.
    """
    if policy is None:
        return None
    if every is not None and not 0 < every <= TIMEOUT_MAX:
        raise InvalidArgumentError(f"{every} is no number of seconds after which to check again")
    # Most runs require nothing.
    from wasmtime_attestation.embedding.files import policy_of
    from wasmtime_attestation.guarding.self_check import SelfCheck

    gpus = host.configuration.host.gpus
    check = SelfCheck(host.service, policy_of(policy), gpus, host.is_replayed)
    return Requirement(check, every)
