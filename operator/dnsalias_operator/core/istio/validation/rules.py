"""The table of rules by which Istio refuses a ServiceEntry, and one question to all of them.

A rule is a check that yields what it refuses; its docstring says where Istio has it. All of istiod's are in
ValidateServiceEntry of pkg/config/validation/validation.go at 1.31, which `istioctl validate` runs too; the API
server's are in manifests/charts/base/files/crd-all.gen.yaml. Warnings of theirs are no refusals and not here.
"""

from collections.abc import Callable, Iterator

from dnsalias_operator.core.istio.protocols import PortClass, Protocol, class_of, entry_protocol
from dnsalias_operator.core.istio.validation import names
from dnsalias_operator.core.istio.validation.crd import CRD_RULES
from dnsalias_operator.core.istio.validation.dynamic import dynamic_dns
from dnsalias_operator.core.istio.validation.endpoints import endpoints
from dnsalias_operator.core.istio.validation.fields import Port, Written, read, unreadable
from dnsalias_operator.core.istio.validation.refusal import By, Refusal
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import Raw
from dnsalias_operator.model.serviceentry import EntryPort

Found = Iterator[Refusal]
_MAX_PORT = 65535


def refused(raw: Raw, mesh: Mesh) -> tuple[Refusal, ...]:
    """All that Istio of the mesh's release refuses of a ServiceEntry, in the order of the table; () if it is taken."""
    unread = tuple(unreadable(raw, mesh))
    entry = read(raw, mesh)
    if any(one.by is By.FORM for one in unread):
        # Nobody looks further; what is wrong whatever the rest is, is told at once all the same.
        more = (one for rule in (hosts, ports) for one in rule(entry) if "[" in one.path)
        return (*unread, *(one for one in more if not any(one.path.startswith(other.path) for other in unread)))
    if alone := tuple(selector_labels(entry)):
        return alone
    return (*unread, *(one for rule in RULES for one in rule(entry)))


def selector_labels(entry: Written) -> Found:
    """A label of the workloadSelector without a key, or with a wildcard: nothing else is looked at then.

    Source: ValidateAlphaWorkloadSelector in pkg/config/validation/validation.go at 1.31.
    """
    for key, value in (entry.selector or {}).items():
        path = "spec.workloadSelector.labels"
        if not key:
            yield Refusal(path, f"{value!r} has no key")
        if "*" in key or "*" in value:
            yield Refusal(path, f"{f'{key}={value}'!r} has a wildcard, which a selector cannot have")


def selector_or_endpoints(entry: Written) -> Found:
    """Both a workloadSelector and endpoints."""
    if entry.selector is not None and entry.endpoints:
        yield Refusal("spec.workloadSelector", "set together with spec.endpoints; only one of them is allowed")


def hosts(entry: Written) -> Found:
    """No host, ``*``, or what is no DNS name. Source: ValidateWildcardDomain in pkg/config/validation/agent."""
    if not entry.hosts:
        yield Refusal("spec.hosts", "at least one host is required")
    for index, host in enumerate(entry.hosts):
        why = "'*' stands for every host, which an entry cannot have" if host == "*" else names.wildcard_domain(host)
        if why:
            yield Refusal(f"spec.hosts[{index}]", why)


def addresses(entry: Written) -> Found:
    """What is neither an IP address nor a CIDR, and a CIDR where endpoints are resolved by DNS."""
    for index, address in enumerate(entry.addresses):
        if why := names.subnet(address):
            yield Refusal(f"spec.addresses[{index}]", why)
        if "/" in address and entry.resolution not in ("NONE", "STATIC"):
            why = f"{address!r} is a CIDR, which resolution {entry.resolution} cannot have (NONE and STATIC can)"
            yield Refusal(f"spec.addresses[{index}]", why)


def ports(entry: Written) -> Found:
    """Names and numbers that come twice or are none, and protocols that Istio does not know.

    Source: ValidatePortName and ValidateProtocol in pkg/config/validation/validation.go, ValidatePort in
    pkg/config/validation/agent/validation.go, Parse in pkg/config/protocol/instance.go.
    """
    seen: set[str | int] = set()
    for port in entry.ports:
        if port.name in seen:
            yield Refusal(f"{port.path}.name", f"{port.name!r} is the name of another port too")
        if port.number in seen:
            yield Refusal(f"{port.path}.number", f"{port.number} is the number of another port too")
        seen |= {port.name, port.number}
        if port.target > _MAX_PORT:
            yield Refusal(f"{port.path}.targetPort", f"{port.target} is not in the range 1 to 65535")
        if not names.is_label(port.name):
            why = f"{port.name!r} is no DNS label" if port.name else "a name is required"
            yield Refusal(f"{port.path}.name", why)
        if port.protocol and _protocol(port) is Protocol.UNSET and not _thrift(port, entry.mesh):
            yield Refusal(f"{port.path}.protocol", f"{port.protocol!r} is no protocol of Istio; TCP is for any other")
        if not 1 <= port.number <= _MAX_PORT:
            yield Refusal(f"{port.path}.number", f"{port.number} is not in the range 1 to 65535")


def _protocol(port: Port) -> Protocol:
    return entry_protocol(EntryPort(port.number, port.name, port.protocol))


def _thrift(port: Port, mesh: Mesh) -> bool:
    """Thrift was a protocol of Istio until 1.20. Source: Parse in pkg/config/protocol/instance.go at 1.11."""
    return port.protocol.lower() == "thrift" and not mesh.since(1, 20)


def hosts_to_resolve(entry: Written) -> Found:
    """A wildcard, or no DNS name, where the sidecar would have to resolve the host itself."""
    if entry.resolution not in ("DNS", "DNS_ROUND_ROBIN") or entry.endpoints:
        return
    for index, host in enumerate(entry.hosts):
        if names.domain(host) and host != "*":
            why = f"{host!r} cannot be resolved by DNS: resolution {entry.resolution} needs a full name, or endpoints"
            yield Refusal(f"spec.hosts[{index}]", why)
            return


def told_apart(entry: Written) -> Found:
    """Several hosts on a port whose protocol does not name the host, unless the connection goes where it was going."""
    if entry.resolution == "NONE" or len(entry.hosts) < 2:  # noqa: PLR2004 (several)
        return
    apart = (PortClass.HTTP, PortClass.HTTP_PROXY, PortClass.TLS)
    port = next((p for p in entry.ports if class_of(_protocol(p)) not in apart), None)
    if port is not None:
        why = (
            f"{len(entry.hosts)} hosts, which port {port.number} cannot tell apart: its protocol is "
            f"{port.protocol or 'not set'}, and neither HTTP nor TLS"
        )
        yield Refusal("spec.hosts", why)


def export_to(entry: Written) -> Found:
    """What is no namespace, comes twice, or stands beside ``*`` or ``~``.

    Source: validateExportTo in pkg/config/validation/validation.go, Validate in pkg/config/visibility/visibility.go.
    """
    seen: set[str] = set()
    for index, name in enumerate(entry.export_to):
        key = entry.namespace if name == "." else name
        path = f"spec.exportTo[{index}]"
        if key in seen:
            yield Refusal(
                path, f"{name!r} is namespace {key}, which is there before" if key != name else f"{name!r} twice"
            )
        elif name not in ("*", "~") and not names.is_label(key):
            yield Refusal(path, f"{name!r} is no namespace; '*', '.' and '~' are what else is allowed")
        else:
            seen.add(key)
    for everybody, means in (("*", "every namespace"), ("~", "no namespace")):
        if everybody in seen and len(entry.export_to) > 1:
            yield Refusal("spec.exportTo", f"'{everybody}' ({means}) stands alone or not at all")


RULES: tuple[Callable[[Written], Found], ...] = (
    selector_or_endpoints,
    hosts,
    addresses,
    ports,
    endpoints,
    hosts_to_resolve,
    dynamic_dns,
    told_apart,
    export_to,
    *CRD_RULES,
)
"""The table."""
