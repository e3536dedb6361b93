"""An alias equals its Service, and hurts nobody: held against real traffic, through the running operator.

``rows`` says what is tried, ``scene`` puts all of it into one mesh and asks, ``views`` reads what the sidecars have,
``verdict`` judges a row, ``table`` prints. ``python -m tools.dataplane.equivalence`` does it for the whole product and
writes docs/equivalence.md; ``tests/dataplane/test_equivalence.py`` does it for the rows that CI has time for.
``callers`` is the other half: what those who call an entry get, before and after the plan.
"""
