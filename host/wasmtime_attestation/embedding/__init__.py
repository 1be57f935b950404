"""What programs embed: a host, a runtime, and verification, appraisal and collection as functions.

`docs/embedding.md` shows all of it; the package itself exports these names when they are asked for.
"""
