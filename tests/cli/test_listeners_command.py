"""`dnsalias listeners`: the predicted table."""

import gzip
import json
import os
from pathlib import Path

import pytest

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


def test_a_narrow_terminal_cuts_no_name(incident: Path) -> None:
    """What does not fit goes on in the next line."""
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "NO_COLOR": "1"}
    shown = on_terminal([executable("dnsalias"), "listeners", "-f", incident, "--from", "default"], environment)
    assert "…" not in shown.terminal
    assert shown.code == 0


def test_wide_tells_what_is_sent_and_why(invoke: Invoke, incident: Path) -> None:
    """A column beside each row, and a line for each cluster, those that only routes lead to as well."""
    incident.write_text(incident.read_text() + SWITCHED)
    told = invoke("listeners", "-f", incident, "--from", "default", "-o", "wide")
    assert told.exit_code == 0
    head, *rows = told.stdout.splitlines()
    place = head.index("SENDS")
    assert head.split() == ["BIND", "PORT", "MATCH", "DESTINATION", "SENDS", "FROM"]
    assert [row[place : place + 9].strip() for row in rows[:4]] == ["plaintext", "by host,", "plaintext", "mTLS"]
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
