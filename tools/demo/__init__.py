"""`make demo`: the incident and its fix on a real API server, printed as it goes, and checked."""
