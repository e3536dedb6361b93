"""Programs of this repository that are not shipped, and what tests and benchmarks share: run one by its module name.

A folder a purpose: CONTRIBUTING.md lists them. Nothing here imports from tests/, and nothing of operator/ imports from
here.
"""
