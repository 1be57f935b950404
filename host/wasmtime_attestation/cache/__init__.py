"""What was attested and is still good: tokens, each for exactly what it was issued for.

A cache saves calls and never changes an answer: what it hands out is what a fresh call could have
returned a moment ago, for the same guest, target, policy, service and key (docs/caches.md).
"""
