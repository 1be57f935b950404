"""WebAssembly guests prove that they run on confidential hardware; anyone can check the proof."""
