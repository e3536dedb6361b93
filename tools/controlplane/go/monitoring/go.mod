// Pins the Prometheus operator whose CRDs the tests apply manifests/monitoring to (see ../build.py). Nothing is built.
module dnsalias.io/controlplane/monitoring

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.86.1
