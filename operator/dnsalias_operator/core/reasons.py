"""Every reason, once."""
