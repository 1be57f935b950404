"""Whether the engine would take a core module."""

from __future__ import annotations

from wasmtime_attestation_bindgen.errors import ModuleError


def validate(module: bytes) -> None:
    """Refuses an invalid core module (WebAssembly core, "Validation").

    Raises:
        ModuleError: it is invalid.
    """
    # Importing wasmtime takes longer than most commands run.
    from wasmtime import Engine, Module, WasmtimeError

    try:
        Module.validate(Engine(), module)
    except WasmtimeError as error:
        raise ModuleError(f"the module is invalid: {str(error).splitlines()[0]}") from error
