"""WebAssembly text to binary.

The only room that knows wasmtime, whose assembler it borrows; it is imported
where it is needed, since packages are hardly ever given in this form.
"""

from __future__ import annotations

import wasmtime

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.source import Encoded, Source


def assemble(source: Source) -> Encoded:
    """Returns what WebAssembly text stands for.

    Raises:
        WitError: it is not WebAssembly text.
    """
    try:
        return Encoded(source.path, bytes(wasmtime.wat2wasm(source.text)))
    except wasmtime.WasmtimeError as error:
        raise WitError(f"{source.path} is not WebAssembly text: {error}") from error
