"""What clients send: PeerAuthentications, DestinationRules and endpoints, rule by rule."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from dnsalias_operator.core.istio.clusters import (
    ClientTls,
    cluster_of,
    clusters_on,
    gets_mtls,
    if_all,
    of_namespace,
    of_pods,
    of_workload,
    refused,
)
from dnsalias_operator.core.istio.clusters.cluster import Workload
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.model.destinationrule import DestinationRule
from dnsalias_operator.model.peerauthentication import MtlsMode, PeerAuthentication
from dnsalias_operator.model.serviceentry import ServiceEntry
from tests.core.listener_worlds import CLIENT, MESH, NEWER, OLDER, entry, service, world
from tests.core.mtls_worlds import ROOT, destination_rule, endpoint, peer_authentication, sent

INTERNAL = {"location": "MESH_INTERNAL"}
API = {"app": "api"}


def internal(*endpoints: Mapping[str, Any], **fields: Any) -> ServiceEntry:  # noqa: ANN401
    """An entry inside the mesh with those endpoints."""
    return entry(spec={**INTERNAL, "endpoints": list(endpoints)}, **fields)


# PeerAuthentications.


@pytest.mark.parametrize(
    ("mesh_mode", "namespace_mode", "expected"),
    [
        (None, None, "PERMISSIVE"),
        ("STRICT", None, "STRICT"),
        ("UNSET", None, "PERMISSIVE"),
        ("STRICT", "UNSET", "STRICT"),
        ("STRICT", "DISABLE", "DISABLE"),
        ("DISABLE", "PERMISSIVE", "PERMISSIVE"),
    ],
)
def test_a_namespace_takes_its_own_mode_else_the_meshs(
    mesh_mode: str | None, namespace_mode: str | None, expected: str
) -> None:
    """UNSET and none at all take the level above; with nothing anywhere it is PERMISSIVE."""
    made = [peer_authentication(mesh_mode, namespace=ROOT)] if mesh_mode else []
    made += [peer_authentication(namespace_mode)] if namespace_mode else []
    assert of_namespace(world(*made), "abc", MESH).mode == expected


def test_of_several_for_a_namespace_the_oldest_counts() -> None:
    """The younger ones are ignored, even where the oldest is UNSET."""
    younger = peer_authentication("STRICT", name="a", created=NEWER)
    assert of_namespace(world(younger, peer_authentication("DISABLE", name="z")), "abc", MESH).mode == "DISABLE"
    assert of_namespace(world(younger, peer_authentication(None, name="z")), "abc", MESH).mode == "PERMISSIVE"


@pytest.mark.parametrize(
    ("labels", "port", "expected"),
    [(API, 8080, "DISABLE"), (API, 9090, "STRICT"), ({"app": "web"}, 8080, "PERMISSIVE"), ({}, 8080, "PERMISSIVE")],
)
def test_a_workload_takes_the_mode_of_its_port_else_its_own(labels: dict[str, str], port: int, expected: str) -> None:
    """One that selects it goes before the namespace's, and of that a port's mode before the workload's."""
    chosen = peer_authentication("STRICT", name="api", selector=API, ports={8080: "DISABLE"})
    snapshot = world(chosen, peer_authentication("PERMISSIVE"))
    assert of_workload(snapshot, "abc", labels, port, MESH).mode == expected


def test_unset_of_a_port_is_the_workloads_and_unset_of_that_the_namespaces() -> None:
    """Each level that says nothing takes what is said above it."""
    snapshot = world(
        peer_authentication("UNSET", name="api", selector=API, ports={8080: "UNSET"}), peer_authentication("STRICT")
    )
    assert of_workload(snapshot, "abc", API, 8080, MESH).mode == "STRICT"


def test_of_several_that_select_a_workload_the_oldest_counts() -> None:
    """How many labels each asks for does not matter."""
    snapshot = world(
        peer_authentication("STRICT", name="narrow", selector={**API, "tier": "x"}, created=NEWER),
        peer_authentication("DISABLE", name="wide", selector=API),
    )
    assert of_workload(snapshot, "abc", {**API, "tier": "x"}, 80, MESH).mode == "DISABLE"


def test_a_selector_in_the_root_namespace_selects_nothing() -> None:
    """Not there, and not elsewhere."""
    snapshot = world(peer_authentication("STRICT", namespace=ROOT, selector=API))
    assert {of_workload(snapshot, ns, API, 80, MESH).mode for ns in (ROOT, "abc")} == {"PERMISSIVE"}


def test_pods_of_which_some_labels_are_known_may_take_several_modes() -> None:
    """Every one that may select them counts, up to the first that does so for certain."""
    snapshot = world(
        peer_authentication("STRICT"),
        peer_authentication("DISABLE", name="some", selector={**API, "tier": "x"}),
        peer_authentication("PERMISSIVE", name="all", selector=API, created=NEWER),
        peer_authentication("DISABLE", name="late", selector=API, created=NEWER + 100),
    )
    assert [d.mode for d in of_pods(snapshot, "abc", API, 80, MESH)] == ["DISABLE", "PERMISSIVE"]
    assert [d.mode for d in of_pods(snapshot, "abc", {"app": "web"}, 80, MESH)] == ["STRICT"]
    assert [d.mode for d in of_pods(snapshot, "abc", {}, 80, MESH)] == ["DISABLE", "PERMISSIVE", "DISABLE", "STRICT"]


def test_a_port_that_is_not_known_may_be_any() -> None:
    """A named targetPort says nothing about the number that PeerAuthentications go by."""
    snapshot = world(peer_authentication("STRICT", name="api", selector=API, ports={8080: "PERMISSIVE"}))
    assert {d.mode for d in of_pods(snapshot, "abc", API, None, MESH)} == {"STRICT", "PERMISSIVE"}


@pytest.mark.parametrize(
    "spec", [None, [], {"mtls": "STRICT"}, {"mtls": {"mode": "strict"}}, {"portLevelMtls": {"http": {}, "-1": 1}}]
)
def test_a_peer_authentication_of_any_shape_is_read(spec: object) -> None:
    """What the API would not let by counts as not said."""
    read = PeerAuthentication.parse({"metadata": {"name": "x", "namespace": "abc"}, "spec": spec})
    assert (read.mode, dict(read.ports), dict(read.selector)) == (MtlsMode.UNSET, {}, {})


# Without DestinationRules.


def test_a_services_pods_get_mtls_as_they_take_it() -> None:
    """Auto mTLS: each pod's own label decides, and a workload's PeerAuthentication may switch it off."""
    off = peer_authentication("DISABLE", name="off", selector=API, ports={9090: "STRICT"})
    told = sent(service(), off, host="svc.abc.svc.cluster.local")
    assert (told.tls, str(told)) == (ClientTls.BY_ENDPOINT, "mTLS to pods that take it")

    def gets(tls_mode: str, labels: Mapping[str, str], port: int) -> bool:
        return gets_mtls(world(off), told, Workload("abc", "10.1.0.9", port, tls_mode, labels), MESH)

    assert gets("istio", {"app": "web"}, 8080)
    assert not gets("disabled", {"app": "web"}, 8080)
    assert not gets("istio", API, 8080)
    assert gets("istio", API, 9090)


def test_disable_for_the_namespace_means_plaintext_whatever_the_workload_says() -> None:
    """Only the mesh's and the namespace's PeerAuthentications decide about the cluster: STRICT pods refuse then."""
    strict = peer_authentication("STRICT", name="api", selector=API)
    told = sent(service(), strict, peer_authentication("DISABLE"), host="svc.abc.svc.cluster.local")
    assert (told.tls, told.because) == (ClientTls.PLAINTEXT, "PeerAuthentication abc/default (DISABLE)")
    assert sent(service(), strict, host="svc.abc.svc.cluster.local").tls is ClientTls.BY_ENDPOINT


@pytest.mark.parametrize("mode", ["STRICT", "PERMISSIVE", "UNSET"])
def test_what_servers_demand_does_not_make_a_client_send_mtls(mode: str) -> None:
    """The incident's shape: an endpoint without the label gets plaintext, and STRICT does not change that."""
    told = sent(internal(endpoint("svc.abc.svc.cluster.local")), peer_authentication(mode))
    assert str(told) == "plaintext"
    assert [w.address for w in told.plaintext_to] == ["svc.abc.svc.cluster.local"]


def test_outside_the_mesh_it_is_plaintext() -> None:
    """MESH_EXTERNAL, which is the default too, goes before labels."""
    told = sent(entry(spec={"endpoints": [endpoint("a.example", "istio")]}))
    assert (told.tls, told.because) == (ClientTls.PLAINTEXT, "ServiceEntry abc/alias has location MESH_EXTERNAL")


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (endpoint(), "plaintext"),
        (endpoint(tls_mode="istio"), "mTLS"),
        (endpoint(tls_mode="disabled", serviceAccount="api"), "plaintext"),
        (endpoint(tls_mode="other"), "plaintext"),
        (endpoint(serviceAccount="api"), "mTLS"),
    ],
)
def test_an_inline_endpoint_says_by_label_or_account_that_it_takes_mtls(one: dict[str, Any], expected: str) -> None:
    """The label goes before the account, and only `istio` is a yes."""
    assert str(sent(internal(one, resolution="STATIC"))) == expected


def test_of_mixed_endpoints_each_gets_what_it_takes() -> None:
    """And the ports of the endpoints are those by which PeerAuthentications go."""
    off = peer_authentication("PERMISSIVE", name="off", selector=API, ports={8080: "DISABLE"})
    labelled = endpoint("10.1.0.6", "istio", labels=API)
    told = sent(internal(endpoint(tls_mode="istio"), labelled, endpoint("10.1.0.7"), resolution="STATIC"))
    assert str(told) == "mTLS to 2 of 3"
    switched = internal(endpoint(tls_mode="istio"), {**labelled, "ports": {"p": 8080}}, resolution="STATIC")
    assert [w.address for w in sent(switched, off).plaintext_to] == ["10.1.0.6"]


@pytest.mark.parametrize(
    ("endpoints", "expected"),
    [
        ([], ClientTls.PLAINTEXT),
        ([endpoint(tls_mode="istio")], ClientTls.MTLS),
        ([endpoint(tls_mode="istio"), endpoint("10.1.0.6")], ClientTls.PLAINTEXT),
        ([endpoint(tls_mode="other")], ClientTls.MTLS),
    ],
)
def test_where_the_destination_is_kept_all_endpoints_must_take_mtls(
    endpoints: Sequence[Mapping[str, Any]], expected: ClientTls
) -> None:
    """Resolution NONE has one socket for all, and no endpoint is as bad as one without the label."""
    assert sent(internal(*endpoints, resolution="NONE")).tls is expected


def test_a_headless_services_pods_must_all_take_mtls() -> None:
    """Which is not known here; told what they take, it is settled."""
    told = sent(service(ips=["None"]), host="svc.abc.svc.cluster.local")
    assert (told.tls, str(told)) == (ClientTls.IF_ALL, "mTLS if all pods take it")
    assert [if_all(modes) for modes in ([], ["istio"], ["istio", "disabled"])] == ["plaintext", "mTLS", "plaintext"]


# Which cluster.


def test_dns_without_endpoints_has_its_host_as_one() -> None:
    """Not where it selects pods; there is no cluster where nothing could be an endpoint."""
    assert [w.address for w in sent(entry(spec=INTERNAL)).plaintext_to] == ["svc.hello"]
    selecting = world(entry(spec={**INTERNAL, "workloadSelector": {"labels": API}}))
    found = cluster_of(selecting, CLIENT, MESH, "svc.hello", 443)
    assert found is not None
    assert (found.inline, found.pods, found.needs_pods) == ((), True, True)


def test_of_several_entries_for_a_host_the_oldest_decides_and_others_add_endpoints() -> None:
    """Location and resolution are the oldest's; EDS takes endpoints of the same port name only."""
    oldest = entry(name="a", created=OLDER, resolution="STATIC", spec={**INTERNAL, "endpoints": [endpoint()]})
    other = [endpoint("10.1.0.6"), endpoint("by.name")]
    younger = entry(name="b", created=NEWER, resolution="DNS", spec={"endpoints": other})
    assert {w.address for w in sent(oldest, younger).plaintext_to} == {"10.1.0.5", "10.1.0.6"}
    renamed = entry(name="b", spec={"ports": [{"name": "q", "number": 443}], "endpoints": other})
    assert {w.address for w in sent(oldest, renamed).plaintext_to} == {"10.1.0.5"}


def test_dns_round_robin_adds_no_endpoint_to_a_port_that_has_one() -> None:
    """Found in a random world: the youngest entry's endpoint is left out, an oldest one's is not."""
    dns = entry(name="a", spec={**INTERNAL, "endpoints": [endpoint()]})
    robin = {**INTERNAL, "endpoints": [endpoint("10.1.0.6")]}
    later = entry(name="b", resolution="DNS_ROUND_ROBIN", created=NEWER + 1, spec=robin)
    assert [w.address for w in sent(dns, later).plaintext_to] == ["10.1.0.5"]
    before = entry(name="b", resolution="DNS_ROUND_ROBIN", created=OLDER, spec=robin)
    assert {w.address for w in sent(dns, before).plaintext_to} == {"10.1.0.5", "10.1.0.6"}


def test_dns_round_robin_adds_no_endpoint_beside_pods_that_an_older_entry_selects() -> None:
    """Found in a random world: which pods there are is not known, and some are taken to be there."""
    pods = entry(name="a", resolution="DNS_ROUND_ROBIN", spec={**INTERNAL, "workloadSelector": {"labels": API}})
    later = entry(name="b", resolution="DNS_ROUND_ROBIN", created=NEWER + 1, spec={"endpoints": [endpoint()]})
    assert sent(pods, later).cluster.inline == ()
    assert not refused(sent(pods, later))


@pytest.mark.parametrize(
    "other",
    [
        {"resolution": "STATIC"},
        {"labels": {"team": "b"}},
        {"export_to": ["default"]},
        {"spec": {"workloadSelector": {"labels": API}, "ports": [{"name": "q", "number": 80}]}},
    ],
)
def test_entries_that_are_not_alike_add_no_ports(other: dict[str, Any]) -> None:
    """A younger entry's port has a cluster where all but hosts, ports and location are the oldest's."""
    more = {"ports": [{"name": "q", "number": 80}]}
    alike = world(entry(name="a"), entry(name="b", created=NEWER + 1, spec=more))
    assert cluster_of(alike, CLIENT, MESH, "svc.hello", 80) is not None
    younger = entry(**{"name": "b", "created": NEWER + 1, "spec": more, **other})
    unlike = world(entry(name="a", export_to=["*"] if "export_to" in other else ()), younger)
    assert cluster_of(unlike, Client("elsewhere"), MESH, "svc.hello", 80) is None


def test_every_cluster_of_a_port_is_found() -> None:
    """Those that routes lead to as well, which no row of a listener names; UDP has none."""
    udp = entry(name="u", hosts=["u.hello"], protocol="UDP")
    named = clusters_on(world(service(), entry(protocol="HTTP"), udp), CLIENT, MESH, 443)
    assert [c.name for c in named] == ["outbound|443||svc.abc.svc.cluster.local", "outbound|443||svc.hello"]


# DestinationRules.

LABELLED = internal(endpoint(tls_mode="istio"), resolution="STATIC")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("DISABLE", "plaintext"), ("ISTIO_MUTUAL", "mTLS"), ("SIMPLE", "TLS"), ("MUTUAL", "TLS")],
)
def test_a_rules_tls_goes_before_everything_else(mode: str, expected: str) -> None:
    """Before labels, location and PeerAuthentications."""
    rule = destination_rule("svc.hello", mode)
    assert str(sent(LABELLED, rule, peer_authentication("DISABLE"))) == expected
    assert str(sent(entry(), rule)) == expected


def test_credentials_of_a_secret_are_not_for_every_sidecar() -> None:
    """A rule that names one and selects no pods makes the client send plaintext."""
    policy = {"tls": {"mode": "SIMPLE", "credentialName": "theirs"}}
    assert sent(LABELLED, destination_rule("svc.hello", trafficPolicy=policy)).tls is ClientTls.PLAINTEXT
    pods = {"matchLabels": API}
    chosen = destination_rule("svc.hello", namespace="default", workloadSelector=pods, trafficPolicy=policy)
    assert sent(LABELLED, chosen, client=Client("default", API)).tls is ClientTls.TLS


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([("default", "DISABLE"), ("abc", "ISTIO_MUTUAL"), (ROOT, "SIMPLE")], "plaintext"),
        ([("abc", "ISTIO_MUTUAL"), (ROOT, "DISABLE")], "mTLS"),
        ([(ROOT, "DISABLE")], "plaintext"),
        ([("elsewhere", "DISABLE")], "mTLS"),
    ],
)
def test_the_clients_namespace_goes_first_then_the_services_then_the_root(
    rules: Sequence[tuple[str, str]], expected: str
) -> None:
    """Rules of any other namespace do not count."""
    made = [destination_rule("svc.hello", mode, namespace=namespace) for namespace, mode in rules]
    assert str(sent(LABELLED, *made)) == expected


@pytest.mark.parametrize(("export_to", "expected"), [(["."], "mTLS"), (["default"], "plaintext"), (["*"], "plaintext")])
def test_a_rule_counts_where_it_is_exported_to(export_to: list[str], expected: str) -> None:
    """A private one of the service's namespace is not the client's."""
    assert str(sent(LABELLED, destination_rule("svc.hello", "DISABLE", exportTo=export_to))) == expected


def test_the_most_specific_host_counts() -> None:
    """A name before wildcards, a longer wildcard before a shorter one; short names are Services of the namespace."""
    wide, narrow = destination_rule("*", "SIMPLE", name="w"), destination_rule("*.hello", "DISABLE", name="n")
    assert str(sent(LABELLED, wide, narrow)) == "plaintext"
    assert str(sent(LABELLED, wide, narrow, destination_rule("svc.hello", "ISTIO_MUTUAL"))) == "mTLS"
    assert str(sent(service(), destination_rule("svc", "DISABLE"), host="svc.abc.svc.cluster.local")) == "plaintext"


def test_of_several_rules_for_a_host_the_oldest_policy_counts() -> None:
    """One without a policy takes over the next one's, as istiod merges them."""
    younger = destination_rule("svc.hello", "DISABLE", name="b", created=NEWER)
    assert str(sent(LABELLED, destination_rule("svc.hello", "ISTIO_MUTUAL", name="a"), younger)) == "mTLS"
    assert str(sent(LABELLED, destination_rule("svc.hello", name="a"), younger)) == "plaintext"


def test_a_rule_for_chosen_pods_is_for_those_of_its_namespace() -> None:
    """It goes before one for all, and is nobody else's."""
    chosen = destination_rule("svc.hello", "DISABLE", namespace="default", workloadSelector={"matchLabels": API})
    everybody = destination_rule("svc.hello", "ISTIO_MUTUAL", name="all", namespace="default")
    assert str(sent(LABELLED, chosen, everybody, client=Client("default", API))) == "plaintext"
    assert str(sent(LABELLED, chosen, everybody)) == "mTLS"


def test_a_rule_for_chosen_pods_is_never_exported() -> None:
    """Whatever its exportTo says, clients of other namespaces do not get it."""
    pods = {"matchLabels": API}
    chosen = destination_rule("svc.hello", "DISABLE", workloadSelector=pods, exportTo=["*"])
    assert str(sent(LABELLED, chosen, client=Client("default", API))) == "mTLS"
    root = destination_rule("svc.hello", "SIMPLE", namespace=ROOT)
    assert str(sent(LABELLED, chosen, root, client=Client("default", API))) == "TLS"
    assert str(sent(LABELLED, chosen, client=Client("abc", API))) == "plaintext"


def test_a_ports_settings_replace_the_hosts() -> None:
    """TLS that they leave out is none, but endpoints are still judged by the host's: istiod looks at two places."""
    ports = [{"port": {"number": 443}, "loadBalancer": {"simple": "RANDOM"}}]
    rule = destination_rule("svc.hello", trafficPolicy={"tls": {"mode": "DISABLE"}, "portLevelSettings": ports})
    told = sent(LABELLED, rule)
    assert (told.tls, str(told)) == (ClientTls.BY_ENDPOINT, "plaintext")
    ports[0] = {"port": {"number": 443}, "tls": {"mode": "ISTIO_MUTUAL"}}
    rule = destination_rule("svc.hello", trafficPolicy={"tls": {"mode": "DISABLE"}, "portLevelSettings": ports})
    assert sent(LABELLED, rule).tls is ClientTls.MTLS


def test_passthrough_by_rule_keeps_the_destination() -> None:
    """For the host it is as with resolution NONE; for one port alone it is mTLS, whatever the endpoints take."""
    keep = {"loadBalancer": {"simple": "PASSTHROUGH"}}
    plain = internal(endpoint(), resolution="STATIC")
    assert sent(plain, destination_rule("svc.hello", trafficPolicy=keep)).tls is ClientTls.PLAINTEXT
    taking = internal(endpoint(tls_mode="istio"), name="a", created=OLDER, resolution="STATIC")
    rule = destination_rule("svc.hello", trafficPolicy=keep)
    assert sent(taking, rule).tls is ClientTls.MTLS
    # Found in a random world: a name counts as an endpoint here, where EDS would leave it out.
    assert sent(taking, internal(endpoint("by.name")), rule).tls is ClientTls.PLAINTEXT
    port = {"portLevelSettings": [{"port": {"number": 443}, **keep}]}
    assert sent(plain, destination_rule("svc.hello", trafficPolicy=port)).tls is ClientTls.MTLS


@pytest.mark.parametrize("spec", [None, [], {"host": 1, "trafficPolicy": [], "exportTo": "*"}, {"workloadSelector": 1}])
def test_a_destination_rule_of_any_shape_is_read(spec: object) -> None:
    """What the API would not let by counts as not said."""
    read = DestinationRule.parse({"metadata": {"name": "x", "namespace": "abc"}, "spec": spec})
    assert (read.host, read.policy, read.workload_selector) == ("", None, None)


# What Envoy refuses.


@pytest.mark.parametrize(
    ("protocol", "location", "expected"),
    [
        ("GRPC", "MESH_EXTERNAL", True),
        ("HTTP2", "MESH_EXTERNAL", True),
        ("HTTP", "MESH_EXTERNAL", False),
        ("GRPC", "MESH_INTERNAL", False),
    ],
)
def test_dynamic_dns_speaks_http2_only_where_the_sidecar_may_add_tls(
    protocol: str, location: str, *, expected: bool
) -> None:
    """Inside the mesh auto mTLS makes the settings that Envoy asks for, DISABLE takes them away again."""
    made = entry(hosts=["*.hello"], protocol=protocol, resolution="DYNAMIC_DNS", spec={"location": location})
    assert bool(refused(sent(made, host="*.hello"))) == expected
    assert refused(sent(made, peer_authentication("DISABLE"), host="*.hello")) or protocol == "HTTP"


def test_dns_round_robin_has_one_endpoint() -> None:
    """Found in a random world: another entry for the host adds one, be it the same, and Envoy refuses the cluster."""
    robin = {**INTERNAL, "endpoints": [endpoint()]}
    oldest = entry(name="a", resolution="DNS_ROUND_ROBIN", created=OLDER, spec=robin)
    younger = entry(name="b", spec={"endpoints": [endpoint("10.1.0.6")]})
    assert not refused(sent(oldest))
    assert "DNS_ROUND_ROBIN" in refused(sent(oldest, younger))
    again = entry(name="b", spec={"endpoints": [endpoint()]})
    assert "DNS_ROUND_ROBIN" in refused(sent(oldest, again))
    keep = destination_rule("svc.hello", trafficPolicy={"loadBalancer": {"simple": "PASSTHROUGH"}})
    assert not refused(sent(oldest, younger, keep))
