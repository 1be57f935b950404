"""What the tests of services share: a certification authority that is believed, and no proxies."""

from __future__ import annotations

import pytest

from tests.emulation.web import WebAuthority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> WebAuthority:
    """The certification authority of the miniature services."""
    return WebAuthority(tmp_path_factory.mktemp("services-ca"), "Miniature services CA")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, authority: WebAuthority) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
