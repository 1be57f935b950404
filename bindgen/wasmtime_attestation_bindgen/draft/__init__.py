"""One package's syntax to a draft of it, in which names within the package are resolved.

A draft's indices are its own, and stand-ins take the places of what other
packages define; `link` replaces both.
"""

from wasmtime_attestation_bindgen.draft.package import draft_package
from wasmtime_attestation_bindgen.draft.state import Draft

__all__ = ["Draft", "draft_package"]
