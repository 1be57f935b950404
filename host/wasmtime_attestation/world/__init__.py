"""The world over wasmtime: two ABIs, one service."""
