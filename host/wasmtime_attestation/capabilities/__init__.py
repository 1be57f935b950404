"""What each guest may do: rules of the host's configuration, applied without any IO.

`docs/guests.md` describes the rules.
"""
