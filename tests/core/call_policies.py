"""Random Sidecars, routes, rules and PeerAuthentications: what decides who takes a call and where it ends."""

from hypothesis import strategies as st

from tests.core.call_names import CLIENTS, INSIDE, PORTS, key_of, stamps
from tests.core.plan_worlds import NAMESPACES, Raw, made, rarely


@st.composite
def policies(draw: st.DrawFn, services: list[Raw], entries: list[Raw]) -> list[Raw]:
    """Objects of these kinds for the Services and entries of a world, most often none or one of each."""
    found: list[Raw] = []
    full = [f"{name}.{namespace}.svc.cluster.local" for namespace, name in map(key_of, services)]
    for namespace in NAMESPACES:
        if draw(rarely):
            spec: Raw = {"mtls": {"mode": "STRICT"}}
            found.append(made("security.istio.io/v1", "PeerAuthentication", (namespace, "default"), spec, draw(stamps)))
    if draw(rarely):
        host = draw(st.sampled_from((*(h for e in entries for h in e["spec"]["hosts"]), full[0])))
        spec = {"host": host, "trafficPolicy": {"tls": {"mode": draw(st.sampled_from(("SIMPLE", "ISTIO_MUTUAL")))}}}
        key = (draw(st.sampled_from(CLIENTS)), "rule")
        found.append(made("networking.istio.io/v1", "DestinationRule", key, spec, draw(stamps)))
    if draw(rarely):
        entry = draw(st.sampled_from(entries))
        found.append(draw(_routes(key_of(entry)[0], entry["spec"]["hosts"][0], full)))
    if draw(rarely):
        found.append(draw(_sidecar(draw(st.sampled_from(CLIENTS)))))
    return found


@st.composite
def _routes(draw: st.DrawFn, namespace: str, host: str, services: list[str]) -> Raw:
    """Byte streams for a host, led to a Service such as an egress gateway."""
    port = draw(st.sampled_from(PORTS))
    there = [
        {"destination": {"host": draw(st.sampled_from(services)), "port": {"number": draw(st.sampled_from(PORTS))}}}
    ]
    routes: tuple[Raw, ...] = (
        {"tcp": [{"route": there}]},
        {"tcp": [{"match": [{"port": port}], "route": there}]},
        {"tls": [{"match": [{"port": port, "sniHosts": [host]}], "route": there}]},
    )
    spec = {"hosts": [host], **draw(st.sampled_from(routes))}
    return made("networking.istio.io/v1", "VirtualService", (namespace, "routes"), spec, draw(stamps))


@st.composite
def _sidecar(draw: st.DrawFn, namespace: str) -> Raw:
    hosts = st.sampled_from((["./*"], ["*/*"], ["abc/*"], ["./*", "data/*"], ["*/api.hello"], [f"abc/{INSIDE[0]}"]))
    egress: list[Raw] = [{"hosts": draw(hosts)}]
    if draw(rarely):
        protocol = draw(st.sampled_from(("TCP", "HTTP", "TLS")))
        port = {"number": draw(st.sampled_from(PORTS)), "name": "own", "protocol": protocol}
        egress.insert(0, {"port": port, "hosts": draw(hosts)})
    spec: Raw = {"egress": egress}
    if draw(rarely):
        spec["outboundTrafficPolicy"] = {"mode": draw(st.sampled_from(("ALLOW_ANY", "REGISTRY_ONLY")))}
    if draw(rarely):
        spec["workloadSelector"] = {"labels": {"app": "batch"}}
    return made("networking.istio.io/v1", "Sidecar", (namespace, "default"), spec, draw(stamps))
