"""Istio's rules, each written once, with its source."""
