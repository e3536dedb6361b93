"""Decisions: pure and total functions of a Snapshot. No I/O, no clock, no logging; "why not" is a value."""
