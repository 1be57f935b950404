"""`python -m wasmtime_attestation` is the command line tool."""

from wasmtime_attestation.cli import main

main()
