"""The real control plane that the tests and the demo run against: etcd, kube-apiserver, kube-controller-manager.

``build`` makes the binaries from the Go modules under ``go/`` and keeps them outside the repository, ``cluster``
starts them on loopback, ``python -m tools.controlplane`` is for use by hand; ``tests/controlplane/fixtures.py`` hands
one cluster a run to pytest. Nothing here knows the operator.
"""


class ControlPlaneError(Exception):
    """Something a person has to hear of: a build, a start or a command failed. The message says which and why."""
