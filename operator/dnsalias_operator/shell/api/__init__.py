"""The Kubernetes API: requests, rights, errors, and the limit on how late a write may be sent."""
