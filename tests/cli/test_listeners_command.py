"""`dnsalias listeners`: the predicted table."""

import gzip
import json
import os
from pathlib import Path

import pytest

from dnsalias_operator.model.release import MODELLED
from tests.cli.conftest import Invoke, executable
from tests.cli.terminals import on_terminal

ROW = {"bind", "port", "default", "sni", "cidr", "http", "cluster", "route"}
TABLE = """\
BIND        PORT  MATCH       DESTINATION                                  FROM
0.0.0.0     443   everything  outbound|443||traefik.cutom-name             ServiceEntry abc/traefik-cutom-name
10.96.0.10  443   everything  outbound|443||traefik.abc.svc.cluster.local  Service abc/traefik
"""
SWITCHED = """\
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: without, namespace: abc}
spec: {mtls: {mode: DISABLE}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: mutual, namespace: abc}
spec: {host: traefik, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}
"""
SENT = """\
CLUSTER                                           SENDS      BECAUSE
outbound|443||traefik.abc.svc.cluster.local       mTLS       DestinationRule abc/mutual: ISTIO_MUTUAL
outbound|443||traefik.cutom-name                  plaintext  PeerAuthentication abc/without (DISABLE)
outbound|8080||service-api.abc.svc.cluster.local  plaintext  PeerAuthentication abc/without (DISABLE)
"""


def test_the_table_on_a_pipe(invoke: Invoke, incident: Path) -> None:
    """Aligned plain text, with whose sidecar and which mesh it is true of."""
    result = invoke("listeners", "-f", incident, "--from", "default", "--port", "443")
    assert result.exit_code == 0
    assert result.stdout.startswith(TABLE)
    assert "Assumed: a sidecar in namespace default, Istio 1.31 (the release measured last), " in result.stdout


def test_a_narrow_terminal_breaks_no_name(incident: Path) -> None:
    """The same plain columns as on a pipe, however narrow it is."""
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "40", "NO_COLOR": "1"}
    arguments: list[str | Path] = ["listeners", "-f", incident, "--from", "default", "--port", "443"]
    shown = on_terminal([executable("dnsalias"), *arguments], environment)
    assert shown.terminal.replace("\r\n", "\n").startswith(TABLE)
    assert shown.code == 0


def test_wide_tells_what_is_sent_and_why(invoke: Invoke, incident: Path) -> None:
    """A column beside each row, and a line for each cluster, those that only routes lead to as well."""
    incident.write_text(incident.read_text() + SWITCHED)
    told = invoke("listeners", "-f", incident, "--from", "default", "-o", "wide")
    assert told.exit_code == 0
    head, *rows = told.stdout.splitlines()
    place = head.index("SENDS")
    assert head.split() == ["BIND", "PORT", "MATCH", "DESTINATION", "SENDS", "FROM"]
    assert [row[place : place + 9].strip() for row in rows[:4]] == ["plaintext", "by host,", "unchanged", "mTLS"]
    assert SENT in told.stdout
    assert told.stdout.endswith("enableAutoMtls on.\n")


def test_wide_without_peer_authentications_goes_by_the_pods(invoke: Invoke, incident: Path) -> None:
    """Pods are not read: what depends on them is told as such."""
    told = invoke("listeners", "-f", incident, "--from", "default", "--port", "443", "-o", "wide").stdout
    assert "traefik.abc.svc.cluster.local  mTLS to pods that take it  by the label security.istio.io/tlsMode" in told
    assert "traefik.cutom-name             plaintext                  no endpoint has the label" in told


PARTIAL = """\
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: partial, namespace: abc}
spec: {hosts: ["*api.hello"], resolution: NONE, ports: [{name: tls, number: 9443, protocol: TLS}]}
"""


@pytest.mark.parametrize("arguments", [(), ("--port", "9443"), ("-o", "json")])
def test_a_listener_that_envoy_refuses_is_told_of(invoke: Invoke, incident: Path, arguments: tuple[str, ...]) -> None:
    """It is not in the table, so a line says why; not of a port that was not asked for."""
    incident.write_text(incident.read_text() + PARTIAL)
    told = invoke("listeners", "-f", incident, "--from", "default", *arguments)
    assert "ServiceEntry abc/partial on port 9443: Envoy refuses the listener" in told.output
    assert "Envoy refuses" not in invoke("listeners", "-f", incident, "--from", "default", "--port", "443").output


def test_json_has_the_form_of_the_recordings(invoke: Invoke, incident: Path) -> None:
    """Exactly those fields, lists where the recording has lists, null where it has null."""
    result = invoke("listeners", "-f", incident, "--from", "default", "-o", "json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert [*document] == ["listeners"]
    assert all(set(row) == ROW for row in document["listeners"])
    assert {
        "bind": "10.96.0.10",
        "port": 443,
        "default": False,
        "sni": [],
        "cidr": [],
        "http": False,
        "cluster": "outbound|443||traefik.abc.svc.cluster.local",
        "route": None,
    } in document["listeners"]
    assert {row["port"] for row in document["listeners"]} == {443, 8080}


def test_port_shows_that_port_only(invoke: Invoke, incident: Path) -> None:
    """The rows of one port are those of the whole table with that port."""
    whole = json.loads(invoke("listeners", "-f", incident, "--from", "default", "-o", "json").stdout)["listeners"]
    one = invoke("listeners", "-f", incident, "--from", "default", "--port", "8080", "-o", "json")
    assert json.loads(one.stdout)["listeners"] == [row for row in whole if row["port"] == 8080]


def test_dns_capture_is_told(invoke: Invoke, incident: Path) -> None:
    """The flag reaches the model and the line that says what was assumed."""
    assert "DNS capture on" in invoke("listeners", "-f", incident, "--from", "a", "--dns-capture").stdout


@pytest.mark.parametrize("labels", ["app", "=x", "app=x,y"])
def test_labels_that_are_none_are_bad_usage(invoke: Invoke, incident: Path, labels: str) -> None:
    """The expected form is told."""
    result = invoke("listeners", "-f", incident, "--from", "a", "--labels", labels)
    assert result.exit_code == 2
    assert "expected key=value" in result.stderr


def test_labels_are_read(invoke: Invoke, incident: Path) -> None:
    """An empty value and several labels are fine."""
    assert invoke("listeners", "-f", incident, "--from", "a", "--labels", "app=web,empty=").exit_code == 0


def test_a_recorded_world_is_predicted_as_recorded(invoke: Invoke, tmp_path: Path) -> None:
    """The objects of a recording, through a file, give the rows that the real sidecar had on nearly every port."""
    path = Path(__file__).parent.parent / "core" / "data" / "listeners-101.json.gz"
    recording = json.loads(gzip.decompress(path.read_bytes()))
    world = tmp_path / "world.json"
    world.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": recording["objects"]}))
    result = invoke("listeners", "-f", world, "--from", recording["from"], "-o", "json")
    ports = {row["port"] for row in recording["listeners"]}
    assert len(ports) > 100
    agreeing = [
        p for p in ports if _rows(recording["listeners"], p) == _rows(json.loads(result.stdout)["listeners"], p)
    ]
    assert len(agreeing) >= 0.97 * len(ports)


def _rows(rows: list[dict[str, object]], port: int) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows if row["port"] == port)


def test_another_release_shows_other_listeners(invoke: Invoke, tmp_path: Path) -> None:
    """The flag reaches the model: two addresses of an entry have a row each on 1.24, and one in all on 1.22."""
    world = tmp_path / "two.yaml"
    world.write_text(
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: two, namespace: abc}\n"
        "spec: {hosts: [two.hello], addresses: [240.1.0.1, 240.1.0.2], resolution: STATIC, "
        "ports: [{name: p, number: 9001, protocol: TCP}]}\n"
    )
    shown = {
        release: invoke("listeners", "-f", world, "--from", "abc", "--istio-version", release).stdout
        for release in ("1.22.8", "1.24.6")
    }
    assert [text.count("outbound|9001||two.hello") for text in shown.values()] == [1, 2]
    assert "Istio 1.22.8, " in shown["1.22.8"]


@pytest.mark.parametrize("given", ["1.19.3", "1.33", "latest", "1.28.x"])
def test_a_release_that_is_not_modelled_is_bad_usage(invoke: Invoke, incident: Path, given: str) -> None:
    """The message has what was given, and which releases there are."""
    result = invoke("listeners", "-f", incident, "--from", "default", "--istio-version", given)
    assert result.exit_code == 2
    assert f"istio_version (flag): '{given}' is not legal" in result.stderr
    assert MODELLED in result.stderr


def test_a_release_in_a_file_needs_quotes(invoke: Invoke, incident: Path, tmp_path: Path) -> None:
    """YAML takes 1.30 for the number 1.3, so that a number is no release."""
    config = tmp_path / "settings.yaml"
    results = []
    for written in ("1.30", "'1.30'"):
        config.write_text(f"istio_version: {written}\n")
        results.append(invoke("listeners", "-f", incident, "--from", "default", "--config", config))
    number, text = results
    assert number.exit_code == 2
    assert "istio_version (file): 1.3 is not legal" in number.stderr
    assert "Istio 1.30, " in text.stdout


WEB = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: abc}
spec: {clusterIP: 10.96.0.20, selector: {app: web}, ports: [{name: http, port: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: shop, namespace: abc}
spec:
  hosts: [shop.hello]
  resolution: STATIC
  endpoints: [{address: 192.0.2.1}]
  ports: [{name: p, number: 8080, protocol: HTTP}]
"""


def test_the_virtual_hosts_of_a_port_are_listed(invoke: Invoke, tmp_path: Path) -> None:
    """With --port: Host headers, where they lead, and what becomes of any other; wide says what is sent."""
    file = tmp_path / "web.yaml"
    file.write_text(WEB)
    lines = invoke("listeners", "-f", file, "--from", "a", "--port", "8080").stdout.splitlines()
    start = lines.index("") + 1
    cells = [[cell.strip() for cell in line.split("  ") if cell] for line in lines[start : start + 4]]
    full = "web.abc.svc.cluster.local"
    assert cells == [
        ["ROUTE", "HOST", "DESTINATION", "FROM"],
        ["8080", "shop.hello, shop.hello.", "outbound|8080||shop.hello", "ServiceEntry abc/shop"],
        ["8080", f"{full}, web.abc.svc, web.abc, {full}., 10.96.0.20", f"outbound|8080||{full}", "Service abc/web"],
        ["8080", "any other", "PassthroughCluster", "the mesh"],
    ]
    wide = invoke("listeners", "-f", file, "--from", "a", "--port", "8080", "-o", "wide").stdout
    assert "outbound|8080||shop.hello                 plaintext  " in wide
    document = json.loads(invoke("listeners", "-f", file, "--from", "a", "--port", "8080", "-o", "json").stdout)
    assert [host["cluster"] for host in document["virtualHosts"]] == [
        "outbound|8080||shop.hello",
        "outbound|8080||web.abc.svc.cluster.local",
    ]
    assert document["fallThrough"] == "PassthroughCluster"
    blocked = ("--outbound-traffic-policy", "REGISTRY_ONLY")
    assert "502 from the sidecar" in invoke("listeners", "-f", file, "--from", "a", "--port", "8080", *blocked).stdout
    assert "ROUTE" not in invoke("listeners", "-f", file, "--from", "a").stdout


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("ALLOW_ANY", "connections go on to where the application sent them, unchanged"),
        ("REGISTRY_ONLY", "the sidecar closes connections"),
    ],
)
def test_a_port_without_a_listener_says_so(invoke: Invoke, tmp_path: Path, policy: str, expected: str) -> None:
    """And what becomes of connections to it."""
    file = tmp_path / "web.yaml"
    file.write_text(WEB)
    arguments = ("--from", "a", "--port", "9999", "--outbound-traffic-policy", policy)
    told = invoke("listeners", "-f", file, *arguments).stdout
    assert told.startswith(f"No listener on port 9999: {expected} (outboundTrafficPolicy {policy}).\n")
    document = json.loads(invoke("listeners", "-f", file, *arguments, "-o", "json").stdout)
    assert document["listeners"] == document["virtualHosts"] == []


HEADLESS = """\
apiVersion: v1
kind: Service
metadata: {name: db, namespace: abc}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: NAME, port: 5432}]}
"""


@pytest.mark.parametrize(("name", "said"), [("tcp", True), ("db", True), ("tls", True), ("http", False)])
def test_listeners_of_headless_pods_are_not_modelled(invoke: Invoke, tmp_path: Path, name: str, *, said: bool) -> None:
    """A line says so in place of an empty table; HTTP ports share the wildcard listener, which is there."""
    file = tmp_path / "db.yaml"
    file.write_text(HEADLESS.replace("NAME", name))
    for port in ((), ("--port", "5432")):
        told = invoke("listeners", "-f", file, "--from", "a", *port).stdout
        line = "Not modelled: Service abc/db is headless: each of its endpoints has a listener of its own on port 5432."
        assert (line in told.splitlines()) is said
        assert told.startswith("No listener" if said else "BIND")


SNI = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: files, namespace: abc}
spec: {hosts: [files.example], resolution: DNS, ports: [{name: tls, number: 443, protocol: TLS}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: first, namespace: abc, creationTimestamp: "2026-01-10T08:00:00Z"}
spec:
  hosts: [two.example]
  addresses: [192.0.2.44]
  resolution: NONE
  ports: [{name: tls, number: 9093, protocol: TLS}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: second, namespace: abc, creationTimestamp: "2026-01-10T09:00:00Z"}
spec: {hosts: [two.example], resolution: DNS, ports: [{name: tls, number: 443, protocol: TLS}]}
"""


def test_what_is_known_by_sni_is_sent_unchanged(invoke: Invoke, tmp_path: Path) -> None:
    """So is what no listener is for; a port that has no cluster sends nothing, and a line says what that means."""
    file = tmp_path / "sni.yaml"
    file.write_text(SNI)
    told = invoke("listeners", "-f", file, "--from", "abc", "-o", "wide").stdout
    table, _, clusters = told.partition("\n\n")
    rows = {line.split("outbound|")[-1].split("  ")[0]: line for line in table.splitlines() if "outbound|" in line}
    assert "  unchanged  " in rows["443||files.example"]
    assert "  nothing    " in rows["443||two.example"]
    assert "  plaintext  " in rows["9093||two.example"]
    (passed,) = (line for line in table.splitlines() if "PassthroughCluster" in line)
    assert "  unchanged  " in passed
    assert "SENDS nothing: no connection is made" in told
    assert "files.example" in clusters
    alone = invoke("listeners", "-f", "-", "--from", "abc", "-o", "wide", stdin=SNI.partition("---")[0]).stdout
    assert "SENDS nothing" not in alone
