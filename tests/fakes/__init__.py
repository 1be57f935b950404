"""Miniature vendors that own keys and sign, so that a test can make every case there is."""
