"""Alerts and dashboard, held against a real Prometheus."""
