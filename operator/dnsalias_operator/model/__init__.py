"""Typed, frozen views of the objects in a cluster or in files. No I/O, and no rules of Istio."""
