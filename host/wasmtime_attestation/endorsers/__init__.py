"""What vendors, and services on the way to them, are asked over the network."""
