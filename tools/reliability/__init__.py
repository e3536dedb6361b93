"""Figures of reliability: tests measure and record them, a run prints them, docs/reliability.md is made of them.

A test that has counted or measured something says so once, at its end:

    from tools.reliability.figures import record

    record("Objects that differ after a crash", len(different), "objects", of="Crash at every write", must="0")

`of` is a section of `sections.py`, which says in prose what was done. A run of pytest prints what it recorded at its
end. `make torture` runs the long forms (`--torture`) and then `python -m tools.reliability`, which writes the page
from the figures of the latest long run of each test.
"""
