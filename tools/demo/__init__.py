"""`make demo`: the incident and its cure on a real API server, printed as it goes, and checked."""
