"""Which certification authorities servers are believed to be themselves by.

`SSL_CERT_FILE` and `SSL_CERT_DIR` name them, as OpenSSL has it; else they are the system's, and
those of certifi where the system has none. What vendors sign does not depend on it: it is
verified down to their own roots.
"""

from __future__ import annotations

import os
import ssl

import certifi

from wasmtime_attestation.errors import UnavailableError


def client_context() -> ssl.SSLContext:
    """Returns the context for connections to servers; names and validity are checked.

    Raises:
        UnavailableError: the authorities that the environment names cannot be read.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        if file or folder:
            return ssl.create_default_context(cafile=file or None, capath=folder or None)
        paths = ssl.get_default_verify_paths()
        has_system = any((paths.cafile, paths.capath))
        return ssl.create_default_context(cafile=None if has_system else certifi.where())
    except OSError as error:
        # ssl.SSLError is an OSError: a file that is no PEM.
        named = " and ".join(f"{n}={v}" for n, v in _named(file, folder) if v)
        raise UnavailableError(
            f"the certification authorities of {named or 'the system'} cannot be read "
            f"({error.strerror or error}); correct it or leave it out"
        ) from error


def _named(file: str | None, folder: str | None) -> tuple[tuple[str, str | None], ...]:
    return ("SSL_CERT_FILE", file), ("SSL_CERT_DIR", folder)
