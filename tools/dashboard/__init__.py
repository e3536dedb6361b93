"""The Grafana dashboard of manifests/monitoring: ``document`` prints it, ``panels`` are its parts."""
