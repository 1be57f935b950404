"""Evidence: bytes in, frozen dataclasses out. Nothing here is verified yet."""
