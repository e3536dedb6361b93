"""Who may have which host, and what hostile content may do: nothing."""
