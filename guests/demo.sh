#!/bin/sh
# What a newcomer sees: `make demo` runs this after it has built the guests.
# Each step says what it shows and fails if it does not show it.
set -eu

guests=build/guests
out=build/demo
mkdir -p "$out"

step() {
    printf '\n\033[1m# %s\033[0m\n' "$1"
}

# Runs a command, shows it, and fails unless it exits as it should.
expect() {
    wanted=$1
    shift
    printf '$ %s\n' "$*" >&2
    code=0
    "$@" || code=$?
    if [ "$code" -ne "$wanted" ]; then
        echo "demo: exit code $code instead of $wanted" >&2
        exit 1
    fi
}

step "1. What this machine has"
expect 0 wasmtime-attestation detect

step "2. A component guest (Python) attests on a simulated TEE, and saves its token"
expect 0 wasmtime-attestation run --tee simulated --trust-out "$out/root.pem" \
    --dir "$out::/out" "$guests/python-reporter.wasm" --save /out/token.jwt

step "3. A legacy guest (C++, pointer/length ABI) does the same"
expect 0 wasmtime-attestation run --tee simulated "$guests/cpp-reporter.wasm"

step "4. Anybody can verify the saved token who trusts the simulated root"
expect 0 wasmtime-attestation verify "$out/token.jwt" --trust "$out/root.pem"

step "5. Without that root it is refused: a simulation proves nothing"
expect 4 wasmtime-attestation verify "$out/token.jwt" >/dev/null

step "6. The same token with one bit flipped is refused"
python -c 'import sys
token = bytearray(open(sys.argv[1], "rb").read().strip())
# A bit that leaves the text one of a token.
at = next(i for i in range(len(token) - 40, 0, -1) if chr(token[i] ^ 1).isalnum())
token[at] ^= 1
open(sys.argv[2], "wb").write(token)' "$out/token.jwt" "$out/forged.jwt"
expect 4 wasmtime-attestation verify "$out/forged.jwt" --trust "$out/root.pem" >/dev/null

step "7. Without --tee simulated there is nothing to attest with; the guests decide what to do"
expect 0 wasmtime-attestation run "$guests/cpp-reporter.wasm"
expect 1 wasmtime-attestation run "$guests/python-reporter.wasm" --require

step "8. A workload trains only where the virtual machine and every GPU are attested"
expect 0 wasmtime-attestation run --tee simulated --gpus 1 "$guests/cpp-trainer.wasm" --allow-simulated
expect 1 wasmtime-attestation run "$guests/cpp-trainer.wasm"

step "done: both guests attested, the token verified, the forged one was refused"
