"""manifests/monitoring, applied to a real API server that has the CRDs of the Prometheus operator."""

import copy

import pytest

from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane, KubectlError
from tools.running import identity

pytestmark = pytest.mark.cluster


def test_the_prometheus_operator_takes_what_is_installed(plane: ControlPlane) -> None:
    """Alerts, scraping and dashboard pass strict validation; a slip in them would not."""
    plane.install_crds(build.monitoring_crds())
    identity.install(plane)
    built = identity.build(plane, "monitoring")
    identity.apply(plane, built)
    for obj in built:
        kind, name = obj["kind"].lower(), obj["metadata"]["name"]
        assert name in plane.kubectl("get", kind, name, "-n", identity.NAMESPACE, "-o", "name")

    slip = copy.deepcopy(next(obj for obj in built if obj["kind"] == "ServiceMonitor"))
    (endpoint,) = slip["spec"]["endpoints"]
    endpoint["honourLabels"] = endpoint.pop("honorLabels")
    with pytest.raises(KubectlError, match="honourLabels"):
        identity.apply(plane, [slip])
