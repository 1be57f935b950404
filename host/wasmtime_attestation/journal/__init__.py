"""The journal: one line for each decision, in a chain of hashes that the host's key signs.

`docs/journal.md` describes the records, what the chain proves and what it cannot.
"""
