"""A Service of two ports and one alias of it, as JSON: the smallest world in which an entry is made."""

from tools import make

SERVICE = make.service(
    "api",
    ports=[make.port(80, "http"), make.port(81)],
    ip="10.96.0.1",
    namespace="abc",
    meta={"uid": "s1", "creationTimestamp": "2026-01-01T00:00:00Z"},
    selector={"app": "api"},
)
ALIAS = make.alias("api", "api.hello", "api", namespace="abc", meta={"uid": "a1"})
ENTRY = make.entry("api", "api.hello", ports=[make.entry_port(81)], namespace="abc", meta={"labels": make.MANAGED})
"""Somebody else's entry for the host of the alias, as a dns-controller writes it."""
