"""The records of the model in the form in which istiod prints them: JSON of istio.workload.Address."""

from collections.abc import Iterable
from typing import Any

from dnsalias_operator.core.istio.ambient import GatewayAddress, PortRecord, ServiceRecord, WorkloadRecord
from dnsalias_operator.core.istio.ambient.records import CLUSTER

Form = dict[str, Any]


def of_service(record: ServiceRecord) -> Form:
    """A service, with the fields that are not empty."""
    passes = {"mode": "PASSTHROUGH", "healthPolicy": "ALLOW_ALL"}
    form = {
        "name": record.owner.name,
        "namespace": record.namespace,
        "hostname": record.hostname,
        "addresses": [_address(a) for a in record.addresses],
        "ports": _ports(record.ports),
        "waypoint": _gateway(record.waypoint),
        "subjectAltNames": list(record.alt_names),
        "loadBalancing": passes if record.keeps else {},
        "ipFamilies": record.families,
        "canonical": record.canonical,
        "visibility": "" if record.public else "NAMESPACE",
    }
    return _without_defaults(form)


def of_workload(record: WorkloadRecord) -> Form:
    """A workload, with the fields that are not empty."""
    form = {
        "uid": record.uid,
        "name": record.name,
        "namespace": record.namespace,
        "addresses": list(record.addresses),
        "hostname": record.hostname,
        "tunnelProtocol": "HBONE" if record.hbone else "",
        "nativeTunnel": record.native,
        "serviceAccount": record.service_account,
        "node": record.node,
        "canonicalName": record.canonical_name,
        "canonicalRevision": record.canonical_revision,
        "workloadType": "POD",
        "workloadName": record.workload_name,
        "waypoint": _gateway(record.waypoint),
        "services": {name: _without_defaults({"ports": _ports(ports)}) for name, ports in record.services.items()},
        "clusterId": CLUSTER,
        "status": "" if record.healthy else "UNHEALTHY",
        "networkMode": "HOST_NETWORK" if record.host_network else "",
    }
    return _without_defaults(form)


def _address(address: str) -> Form:
    ip, _, length = address.partition("/")
    return {"address": ip, "length": int(length)} if length else {"address": ip}


def _ports(ports: Iterable[PortRecord]) -> list[Form]:
    return [
        _without_defaults({"servicePort": p.port, "targetPort": p.target, "appProtocol": p.protocol}) for p in ports
    ]


def _gateway(address: GatewayAddress | None) -> Form:
    if address is None:
        return {}
    if not address.hostname:
        return {"hboneMtlsPort": address.port, "address": {"address": address.address}}
    hostname = {"hostname": address.hostname, "namespace": address.namespace}
    return {"hboneMtlsPort": address.port, "hostname": hostname}


def _without_defaults(form: Form) -> Form:
    """Protojson leaves fields out that have the default of their type."""
    return {name: value for name, value in form.items() if value}
