"""How fast and how large: measured on the real API server, each figure beside a reference of the same run.

``python -m benchmarks`` runs them (`make bench`), prints a table and writes JSON into ``build/bench``;
``python -m benchmarks.document`` makes docs/performance.md of that. What is measured, against what, and how good it
should be stands once, in ``measures``. Nothing here is a test: a slow machine fails nothing.
"""
