"""The model of who owns which outbound listener; every rule of Istio about listeners stands in this package."""
