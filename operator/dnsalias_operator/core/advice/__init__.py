"""What a person asks: why, what next, how to adopt an entry and how to go back."""
