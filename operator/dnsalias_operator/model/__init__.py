"""Typed, frozen views of what stands in a cluster or in files. No I/O; nothing here knows a rule of Istio."""
