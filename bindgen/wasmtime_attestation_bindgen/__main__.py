"""`python -m wasmtime_attestation_bindgen`."""

from wasmtime_attestation_bindgen.cli import main

main(prog_name="wasmtime-attestation-bindgen")
