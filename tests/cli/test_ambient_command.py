"""`dnsalias ambient`: what ztunnel makes of calls."""

import json

import pytest

from tests.cli.conftest import Invoke, Write

WORLD = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}
---
apiVersion: v1
kind: Service
metadata: {name: pay, namespace: shop, labels: {istio.io/use-waypoint: way}}
spec:
  clusterIP: 10.96.0.1
  selector: {app: pay}
  ports: [{name: tcp, port: 7000, targetPort: db}, {name: adm, port: 7010}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: own, namespace: shop}
spec:
  hosts: [own.hello]
  addresses: [240.241.0.1]
  location: MESH_INTERNAL
  resolution: STATIC
  workloadSelector: {labels: {app: pay}}
  ports: [{name: tcp, number: 7000, protocol: TCP, targetPort: 7001}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: led, namespace: other}
spec:
  hosts: [led.hello]
  addresses: [10.96.0.1]
  location: MESH_INTERNAL
  resolution: DNS
  endpoints: [{address: pay.shop.svc.cluster.local}]
  ports: [{name: tcp, number: 7000, protocol: TCP}]
"""
GATEWAY = """\
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: elsewhere, namespace: shop}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
status: {addresses: [{type: Hostname, value: elsewhere.shop.svc.cluster.local}]}
"""
POD = """\
---
apiVersion: v1
kind: Pod
metadata: {name: pay-1, namespace: shop, labels: {app: pay}}
spec: {containers: [{name: app, ports: [{name: db, containerPort: 7001}]}]}
status: {podIP: 10.244.0.1, conditions: [{type: Ready, status: "True"}]}
"""
TABLE = """\
ADDRESS      PORT  HOST                        WAY                                TO                               FROM
10.96.0.1    7000  led.hello                   plaintext (by chance)              pay.shop.svc.cluster.local:7000  ServiceEntry other/led
10.96.0.1    7000  pay.shop.svc.cluster.local  HBONE, by its waypoint (by chance)  way.shop.svc.cluster.local       Service shop/pay
240.241.0.1  7000  own.hello                   HBONE                              pods app=pay port 7001           ServiceEntry shop/own
"""  # noqa: E501 (as printed)


def test_the_table_says_who_may_get_a_call(invoke: Invoke, write: Write) -> None:
    """Seen from a third namespace two records share the clusterIP; the port of one of them alone counts there too."""
    told = invoke("ambient", "-f", write("world.yaml", WORLD), "--from", "third", "--port", "7000")
    assert told.exit_code == 0
    lines = [line.split() for line in told.stdout.splitlines()]
    assert lines[:4] == [line.split() for line in TABLE.splitlines()]
    assert "Namespace third is not labelled for ambient mode" in told.stdout
    assert "Assumed: a pod in ambient mode in namespace third, pods not read, Istio 1.31" in told.stdout


def test_the_own_namespace_goes_first(invoke: Invoke, write: Write) -> None:
    """A client of the Service's namespace gets the Service, one of the entry's gets the entry, on every port."""
    world = write("world.yaml", WORLD)

    def ways(client: str, *more: str) -> dict[int, list[str]]:
        told = json.loads(invoke("ambient", "-f", world, "--from", client, "-o", "json", *more).stdout)
        return {c["port"]: [a["way"] for a in c["answers"]] for c in told["calls"] if c["address"] == "10.96.0.1"}

    assert ways("shop") == {7000: ["waypoint"], 7010: ["waypoint"]}
    assert ways("other") == {7000: ["plaintext"], 7010: ["reset"]}
    assert ways("shop", "--istio-version", "1.29") == {7000: ["plaintext", "waypoint"], 7010: ["reset", "waypoint"]}


def test_pods_and_gateways_of_files_count(invoke: Invoke, write: Write) -> None:
    """A pod that ztunnel does not serve gets plaintext, and a waypoint that is not there leads nobody."""
    world = write("world.yaml", WORLD + POD + GATEWAY)
    told = json.loads(invoke("ambient", "-f", world, "--from", "shop", "--port", "7000", "-o", "json").stdout)
    assert [(c["address"], c["answers"][0]["way"], c["answers"][0]["to"]) for c in told["calls"]] == [
        ("10.96.0.1", "plaintext", ["10.244.0.1:7001"]),
        ("240.241.0.1", "plaintext", ["10.244.0.1:7001"]),
    ]


@pytest.mark.parametrize(("version", "asks"), [("1.24", True), ("1.25", False)])
def test_names(invoke: Invoke, write: Write, version: str, asks: bool) -> None:  # noqa: FBT001 (a table)
    """Hosts without an address are asked of the cluster's DNS; before 1.25 all are, unless istio-cni is told."""
    world = write("world.yaml", WORLD.replace("  addresses: [240.241.0.1]\n", ""))
    told = invoke("ambient", "-f", world, "--from", "shop", "--istio-version", version).stdout
    assert ("off by default before 1.25" in told) is asks
    assert ("The cluster's DNS is asked for own.hello" in told) is asks


def test_nothing_has_the_port(invoke: Invoke, write: Write) -> None:
    """There is no catch-all."""
    told = invoke("ambient", "-f", write("world.yaml", WORLD), "--from", "shop", "--port", "9")
    assert told.stdout.startswith("No record has port 9: such calls pass, as they came.\n")


def test_listeners_point_to_it(invoke: Invoke, write: Write) -> None:
    """Whoever asks for the sidecars of a namespace in ambient mode learns that there are none."""
    world = write("world.yaml", WORLD)
    assert "`dnsalias ambient --from shop` says" in invoke("listeners", "-f", world, "--from", "shop").stdout
    assert "dnsalias ambient" not in invoke("listeners", "-f", world, "--from", "other").stdout
