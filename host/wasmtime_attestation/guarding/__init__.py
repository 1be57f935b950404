"""What stands between a guest and the service: rules, the journal, and the host's own policy."""
