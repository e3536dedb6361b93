"""Programs of this repository that are not shipped, and what tests and benchmarks share: run as `python -m tools.NAME`.

A folder a purpose: CONTRIBUTING.md lists them. Nothing here imports from tests/, and nothing of operator/ imports from
here.
"""
