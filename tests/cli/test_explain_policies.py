"""`dnsalias explain`: what is bound to a Service, and what of it stops at an alias."""

import json

import pytest

from tests.cli.conftest import INCIDENT, Invoke
from tests.cli.test_explain import story

BOUND = """\
---
{apiVersion: v1, kind: Service, metadata: {name: pay, namespace: abc}, spec: {clusterIP: 10.96.0.1,
  selector: {app: pay}, ports: [{name: http, port: 80}, {name: tcp, port: 9001}]}}
---
{apiVersion: dnsalias.io/v1alpha1, kind: DnsAlias, metadata: {name: pay, namespace: abc},
  spec: {host: pay.hello, serviceRef: {name: pay}, routing: Own}}
---
{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: pay, namespace: abc},
  spec: {host: pay, trafficPolicy: {outlierDetection: {interval: 5s}}, subsets: [{name: v1}]}}
---
{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: near, namespace: shop},
  spec: {host: pay.abc.svc.cluster.local, trafficPolicy: {loadBalancer: {simple: RANDOM}}}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: canary, namespace: abc},
  spec: {hosts: [pay], http: [{route: [{destination: {host: pay, subset: v1}}]}]}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: hidden, namespace: shop},
  spec: {hosts: [pay.abc.svc.cluster.local], exportTo: ["."], http: [{route: [{destination: {host: elsewhere}}]}]}}
---
{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: default, namespace: istio-system},
  spec: {mtls: {mode: STRICT}}}
---
{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: allow, namespace: abc},
  spec: {selector: {matchLabels: {app: pay}}, rules: [{to: [{operation: {hosts: ["pay.abc*", "pay:80"]}}]}]}}
---
{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: others, namespace: abc},
  spec: {selector: {matchLabels: {app: cart}}, action: DENY}}
---
{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: way, namespace: abc},
  spec: {targetRefs: [{kind: Service, name: pay}], action: DENY}}
"""
ASKED = "pay.abc*, pay:80; no rule of it names pay.hello"
HERE = "pay.abc.svc.cluster.local"
OF_PAY = {
    ("DestinationRule", "abc/pay"): ("outlierDetection, subsets", HERE, "those in namespace shop have another"),
    ("DestinationRule", "shop/near"): ("loadBalancer", HERE, "only those in namespace shop"),
    ("VirtualService", "abc/canary"): ("routes requests", HERE, ""),
    ("PeerAuthentication", "istio-system/default"): ("STRICT", None, ""),
    ("AuthorizationPolicy", "abc/allow"): (
        "ALLOW; asks for the Host pay.abc*, pay:80; no rule of it names pay.hello",
        None,
        "",
    ),
    ("AuthorizationPolicy", "abc/way"): ("DENY; at a waypoint of the Service", None, ""),
}


@pytest.mark.parametrize("what", [("abc/pay",), ("service", "abc/pay")], ids=["alias", "service"])
def test_what_is_bound_to_a_service_is_listed(invoke: Invoke, what: tuple[str, ...]) -> None:
    """Each with its namespace, and which of them stop at the alias, as DA028 says of the same world."""
    told = story(invoke, BOUND, *what)["policies"]
    found = {(p["kind"], f"{p['namespace']}/{p['name']}"): (p["what"], p["host"], p["clients"]) for p in told}
    assert found == OF_PAY
    stopping = {p["name"] for p in told if p["stopsAt"] == ["abc/pay"]}
    linted = invoke("lint", "-f", "-", "-o", "json", stdin=BOUND)
    findings = [f for f in json.loads(linted.stdout)["findings"] if f["code"] == "DA028"]
    assert stopping == {"pay", "near", "canary"}
    assert len(findings) == len(stopping)


def test_a_service_is_explained_by_its_own_name(invoke: Invoke) -> None:
    """With its aliases, the entries that are meant for it, and who has its address."""
    text = invoke("explain", "service", "abc/pay", "-f", "-", stdin=BOUND).stdout
    assert text.startswith("Service abc/pay (<stdin>:2) has the alias DnsAlias abc/pay (pay.hello)\nService     ")
    assert "; stops at DnsAlias abc/pay\n" in text
    told = story(invoke, INCIDENT, "abc/traefik")
    assert told["summary"] == "has no alias and is meant by ServiceEntry abc/traefik-cutom-name"
    assert (told["traffic"][0]["address"], told["traffic"][0]["port"]) == ("10.96.0.10", 443)
