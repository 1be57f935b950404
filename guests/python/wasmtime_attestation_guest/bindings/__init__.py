"""componentize-py puts the bindings of `wasmtime:attestation` here when it builds a guest."""
