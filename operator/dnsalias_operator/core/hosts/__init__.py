"""Who may have a host."""
