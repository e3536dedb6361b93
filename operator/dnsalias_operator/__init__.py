"""dnsalias-operator: extra DNS names for Services in an Istio mesh, without catch-all listeners."""

from importlib.metadata import version

__version__ = version("dnsalias-operator")
