"""Reads WIT and writes bindings from it."""
