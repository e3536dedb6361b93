"""What the operator reports: metrics, health, Events, log lines."""
