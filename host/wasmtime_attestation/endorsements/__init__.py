"""Endorsements: what vendors sign about their hardware, decoded."""
