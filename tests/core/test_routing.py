"""The VirtualService of an alias: what is copied from its Service's, what is not, and when it is decided again."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dnsalias_operator.core.outcome import AliasDecision
from dnsalias_operator.core.plan import decide_alias, plan
from dnsalias_operator.core.triggers import affected
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import LiveSnapshot, Snapshot
from tools import make

RULES = Rules(default_routing="Auto")
HOST = "api.abc.svc.cluster.local"
Raw = dict[str, Any]


def service(*ports: Raw, **spec: object) -> Raw:
    """Service api of an HTTP and a TCP port."""
    return make.service(
        "api",
        ports=ports or [make.port(80, "http"), make.port(8080, "http-alt"), make.port(81)],
        ip="10.96.0.1",
        namespace="abc",
        meta={"uid": "s1", "creationTimestamp": "2026-01-01T00:00:00Z"},
        selector={"app": "api"},
        **spec,
    )


def alias(**spec: object) -> Raw:
    """Its alias."""
    return make.alias("web", "web.hello", "api", namespace="abc", meta={"uid": "a1"}, **spec)


def routes(name: str = "api", *hosts: str, namespace: str = "abc", **spec: object) -> Raw:
    """A VirtualService for the Service."""
    given = {"hosts": [*(hosts or ("api",))], **spec}
    meta = {"uid": f"v-{name}"}
    return make.manifest(make.NETWORKING, "VirtualService", name, given, namespace=namespace, meta=meta)


def rule(host: object = "api", name: str = "api", **policy: object) -> Raw:
    """A DestinationRule for the Service."""
    spec = {"host": host, "trafficPolicy": policy or {"outlierDetection": {"interval": "5s"}}}
    return make.manifest(make.NETWORKING, "DestinationRule", name, spec, namespace="abc", meta={"uid": f"d-{name}"})


def world(*raws: Raw) -> Snapshot:
    """The objects, as the operator's store has them."""
    return Snapshot((KINDS[raw["kind"]].parse(raw) for raw in raws), namespaces_known=True)


def decided(*raws: Raw, rules: Rules = RULES) -> AliasDecision:
    """What becomes of the alias."""
    found = decide_alias(world(*raws), Key(KIND, "abc", "web"), rules)
    assert found is not None
    return found


def written(of: AliasDecision) -> Raw | None:
    """The spec of the VirtualService that is to be written."""
    made = [c.after["spec"] for c in of.changes if c.key.kind == "VirtualService" and c.after]
    return made[0] if made else None


def said(of: AliasDecision) -> str:
    """PoliciesFollowed: status, reason and message, "" where it is not there."""
    return next((f"{c.status} {c.reason}: {c.message}" for c in of.conditions if c.type == "PoliciesFollowed"), "")


def to(port: int) -> Raw:
    """A straight route of one port."""
    return {"match": [{"port": port}], "route": [{"destination": {"host": HOST, "port": {"number": port}}}]}


def test_nothing_is_written_where_nothing_is_bound() -> None:
    """Auto leaves an alias as it is, and says nothing, until something is bound to its Service."""
    of = decided(service(), alias())
    assert (written(of), said(of)) == (None, "")
    assert [c.key.kind for c in of.changes] == ["ServiceEntry"]


def test_it_is_written_before_the_entry_for_ports_with_a_cluster_of_their_own() -> None:
    """HTTP ports go to the Service's host; TCP at the Service's address is its own listener already."""
    of = decided(service(), alias(), rule())
    assert [c.key.kind for c in of.changes] == ["VirtualService", "ServiceEntry"]
    spec = written(of)
    assert spec == {"hosts": ["web.hello"], "gateways": ["mesh"], "exportTo": ["*"], "http": [to(80), to(8080)]}
    assert said(of).startswith("True PoliciesFollowed: calls by web.hello to ports 80, 8080 take the cluster of")
    assert of.routed == (80, 8080)


def test_ports_at_an_address_of_its_own_go_by_their_protocol() -> None:
    """With ambient clients about the entry has its own address: TCP by tcp, no protocol by both, TLS not at all."""
    about = make.manifest("v1", "Namespace", "other", {}, meta={"labels": {"istio.io/dataplane-mode": "ambient"}})
    ports = [make.port(80, "http"), make.port(81), make.port(82, "any"), make.port(443, "tls")]
    of = decided(service(*ports), alias(routing="Service"), rule(), about)
    spec = written(of)
    assert spec is not None
    assert (spec["http"], spec["tcp"]) == ([to(80), to(82)], [to(81), to(82)])
    assert "False RoutesNotFollowed: calls by web.hello to port 443 are TLS" in said(of)
    assert said(decided(service(*ports), alias(), rule(), about)).startswith("False OwnCluster:")


def test_routes_of_the_service_are_written_for_the_alias() -> None:
    """Everything of a route is kept; names without a dot get the VirtualService's namespace, wherever they lead."""
    route = {
        "name": "canary",
        "match": [{"uri": {"prefix": "/v2"}, "gateways": ["mesh", "abc/gw"]}, {"gateways": ["abc/gw"]}],
        "timeout": "3s",
        "retries": {"attempts": 2},
        "fault": {"abort": {"httpStatus": 418, "percentage": {"value": 1}}},
        "headers": {"request": {"set": {"x": "y"}}},
        "mirror": {"host": "shadow"},
        "mirrors": [{"destination": {"host": "shadow", "subset": "m"}}],
        "route": [{"destination": {"host": "api", "subset": "v2"}, "weight": 100}],
    }
    last = {"route": [{"destination": {"host": "other.shop.svc.cluster.local", "port": {"number": 9}}}]}
    of = decided(service(), alias(), routes(http=[route, {"match": [{"gateways": ["abc/gw"]}], **last}, last]))
    spec = written(of)
    assert spec is not None
    copied = {
        **route,
        "match": [{"uri": {"prefix": "/v2"}, "gateways": ["mesh"]}],
        "mirror": {"host": "shadow.abc.svc.cluster.local"},
        "mirrors": [{"destination": {"host": "shadow.abc.svc.cluster.local", "subset": "m"}}],
        "route": [{"destination": {"host": HOST, "subset": "v2"}, "weight": 100}],
    }
    assert spec["http"] == [copied, last]
    assert said(of).startswith("True")


def test_a_port_without_a_route_goes_straight_to_the_service() -> None:
    """As the Service's own calls do: where its rule has nothing for a port, or for some callers alone."""
    only = {"match": [{"port": 80, "sourceLabels": {"app": "x"}}], "route": [{"destination": {"host": HOST}}]}
    spec = written(decided(service(), alias(), routes(http=[only])))
    assert spec is not None
    assert spec["http"] == [only, to(80), to(8080)]
    some = {"match": [{"port": 80, "uri": {"prefix": "/x"}}], "route": [{"destination": {"host": HOST}}]}
    spec = written(decided(service(), alias(), routes(http=[some])))
    assert spec is not None
    assert spec["http"] == [some, to(8080)]


NOT_FOLLOWED = {
    "authority": ([routes(http=[{"match": [{"authority": {"exact": "api"}}], "route": [{}]}])], "authority"),
    "host header": ([routes(http=[{"match": [{"headers": {"Host": {"exact": "api"}}}], "route": [{}]}])], "authority"),
    "delegate": ([routes(http=[{"delegate": {"name": "x"}}])], "delegate"),
    "two": ([routes("a", http=[to(80)]), routes("b", http=[to(80)])], "there are 2"),
    "not for all": ([routes(exportTo=["shop"], http=[to(80)])], "leaves out clients"),
    "leads nowhere": ([routes(http=[{"match": [{"port": 80}]}])], "istiod refuses its http[0]"),
    "no route": ([routes(http=["x"])], "istiod refuses its http[0]"),
    "callers and requests": (
        [routes(http=[{"match": [{"sourceNamespace": "x", "uri": {"exact": "/"}}], "route": [{}]}])],
        "chooses callers",
    ),
}


@pytest.mark.parametrize("case", NOT_FOLLOWED)
def test_what_cannot_be_followed_is_said(case: str) -> None:
    """The alias still takes the Service's cluster, by straight routes, and PoliciesFollowed names object and why."""
    objects, why = NOT_FOLLOWED[case]
    of = decided(service(), alias(), *objects)
    spec = written(of)
    assert spec is not None
    assert spec["http"] == [to(80), to(8080)]
    assert said(of).startswith("False RoutesNotFollowed")
    assert all(f"VirtualService abc/{raw['metadata']['name']}" in said(of) for raw in objects)
    assert why in said(of)
    assert of.conditions[-1].status == "True"


def test_a_virtual_service_for_gateways_alone_is_none() -> None:
    """It does nothing to the Service's calls in the mesh, so that the alias misses nothing."""
    of = decided(service(), alias(), routes(gateways=["abc/gw"], http=[to(80)]))
    assert (written(of), said(of)) == (None, "")


OTHERS = {
    "wildcard": (routes("wild", "*.hello", http=[{"route": [{"destination": {"host": "edge"}}]}]), "HostRouted"),
    "rule for the alias' host": (rule("web.hello", "own"), ""),
    "passthrough": (rule(HOST, "through", loadBalancer={"simple": "PASSTHROUGH"}), "KeepsDestination"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_nothing_is_written_past_what_others_wrote(case: str) -> None:
    """Somebody else's object is never touched; the alias is served and says what it goes without, if anything."""
    other, reason = OTHERS[case]
    of = decided(service(), alias(), *([] if reason == "KeepsDestination" else [rule()]), other)
    assert (written(of), [c.key.kind for c in of.changes]) == (None, ["ServiceEntry"])
    assert said(of).startswith(f"False {reason}") if reason else said(of) == ""


def test_a_name_that_is_taken() -> None:
    """Somebody else's VirtualService of the alias' name stays; ours gets another name, and keeps it once it has it."""
    other = [routes(name, "x.example", http=[to(80)]) for name in ("web", "web-alias")]
    of = decided(service(), alias(), rule(), other[0])
    (made,) = (dict(c.after) for c in of.changes if c.key.kind == "VirtualService" and c.after)
    assert made["metadata"]["name"] == "web-alias"
    there = {**made, "metadata": {**made["metadata"], "uid": "v-ours"}}
    assert [c.key.kind for c in decided(service(), alias(), rule(), there).changes] == ["ServiceEntry"]
    of = decided(service(), alias(), rule(), *other)
    assert (written(of), said(of).split(":")[0]) == (None, "False RouteNameTaken")


def test_the_services_own_virtual_service_may_have_the_host() -> None:
    """What DA028 advises: then none of ours is needed, and one that is there goes, after the entry is written."""
    both = routes("api", "api", "web.hello", http=[to(80)])
    first = decided(service(), alias(), rule(), routes(http=[to(80)]))
    ours = next(dict(c.after) for c in first.changes if c.key.kind == "VirtualService" and c.after)
    ours["metadata"] = {**ours["metadata"], "uid": "v-ours"}
    of = decided(service(), alias(), rule(), both, ours)
    assert said(of).startswith("True PoliciesFollowed: VirtualService abc/api leads")
    assert [(c.verb, c.key.kind) for c in of.changes] == [("create", "ServiceEntry"), ("delete", "VirtualService")]


def test_a_rule_with_tls_no_longer_refuses_an_alias_that_takes_its_cluster() -> None:
    """With an address of its own it would go without that TLS; by the Service's cluster it has it."""
    about = make.manifest("v1", "Namespace", "other", {}, meta={"labels": {"istio.io/dataplane-mode": "ambient"}})
    objects = (service(), about, rule(tls={"mode": "SIMPLE"}))
    assert decided(alias(routing="Own"), *objects).conditions[-1].status == "False"
    assert decided(alias(routing="Service"), *objects).conditions[-1].status == "True"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 9999) | st.sampled_from(["api", "mesh", HOST, "*", "", "v1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["match", "route", "destination", "host", "port", "number", "gateways", "sourceLabels", "mirror"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
SOMETHING = st.one_of(
    st.builds(lambda h, t, name: routes(name, http=h, tcp=t), JSON, JSON, st.sampled_from(["api", "web", "web-alias"])),
    st.builds(
        lambda host, gateways, name: routes(name, host, gateways=gateways, http=[to(80)]),
        st.sampled_from(["api", "web.hello", "*.hello", "*", HOST]),
        st.sampled_from([[], ["mesh"], ["abc/gw"]]),
        st.sampled_from(["api", "web", "third"]),
    ),
    st.builds(
        lambda hosts: make.sidecar("default", *hosts, namespace="shop"),
        st.lists(st.sampled_from(["abc/web.hello", "abc/*", "*/*", f"abc/{HOST}"]), min_size=1, max_size=2),
    ),
    st.builds(rule, st.sampled_from(["api", HOST, "web.hello", "*.local", 7]), st.sampled_from(["api", "other"])),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    there=st.lists(SOMETHING, max_size=4),
    more=SOMETHING,
    remove=st.booleans(),
    asked=st.sampled_from([{}, {"routing": "Service"}, {"routing": "Own"}]),
)
def test_every_world_converges_and_is_decided_again(
    there: list[Raw],
    more: Raw,
    remove: bool,  # noqa: FBT001 (drawn)
    asked: Raw,
) -> None:
    """Whatever rules are there: once the plan is written nothing is left, and a change that matters is triggered."""
    start = world(service(), alias(**asked), *there)
    planned = plan(start, RULES)
    live = LiveSnapshot(planned.after.objects(), namespaces_known=True)
    assert plan(live, RULES).changes == ()
    key = Key(KIND, "abc", "web")
    before = decide_alias(live, key, RULES)
    changed = KINDS[more["kind"]].parse(more)
    old = live.get(changed.key)
    if remove:
        live.discard(changed.key)
    else:
        live.put(changed)
    if decide_alias(live, key, RULES) != before:
        assert key in affected(live, old, None if remove else changed, RULES)
