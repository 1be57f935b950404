#!/bin/sh
# Installs the compilers that building and testing every guest takes, and the TPM that emulated
# machines have, where this machine lets us:
# Rust's WebAssembly targets through rustup, and, as root, Debian's Rust and clang for wasm32-wasi.
# What is still missing afterwards is named; with CI set that is a failure.
set -eu

packages="clang-19 lld-19 wasi-libc libc++-19-dev-wasm32 libc++abi-19-dev-wasm32 \
libclang-rt-19-dev-wasm32 rustc-web cargo-web rust-web-src cmake pkgconf swtpm tpm2-tools redis-server"

absent() {
    for package in $packages; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            printf '%s ' "$package"
    done
}

install() {
    # shellcheck disable=SC2046 # a list of packages
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(absent) >/dev/null
}

missing=""
if command -v rustup >/dev/null; then
    rustup --quiet target add wasm32-unknown-unknown wasm32-wasip1 wasm32-wasip2 ||
        missing="Rust's WebAssembly targets "
fi
if command -v dpkg-query >/dev/null; then
    if [ -n "$(absent)" ] && [ "$(id -u)" -eq 0 ]; then
        echo "installing $(absent)…"
        install 2>/dev/null || { apt-get update -qq && install; } || true
    fi
    missing="$missing$(absent)"
fi
if [ -n "$missing" ]; then
    echo "not installed: $missing- tests that need them are skipped" >&2
    [ -z "${CI:-}" ] || exit 1
fi
