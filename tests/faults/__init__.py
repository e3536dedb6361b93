"""Faults between operator and API server: a proxy that makes them, and tests of what the operator makes of them.

Figures go to docs/reliability.md (tools/reliability). The long forms run with `--torture`.
"""
