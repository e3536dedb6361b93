"""The forms in which commands print."""
