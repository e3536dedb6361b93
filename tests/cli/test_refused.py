"""Entries that no cluster can have, in files: one finding each, and no part in anything else."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dnsalias_operator.cli.main import program

ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: shop{uid}}}
spec: {spec}
---
"""
REFUSED = {
    "words": "{hosts: [a.example], ports: [{number: 5432, name: pg, protocol: POSTGRES}], resolution: dns}",
    "fields": "{host: [b.example], port: [{number: 5432, name: pg, protocol: TCP}], resolution: DNS}",
    "address": "{hosts: [c.example], addresses: [10.0.0.01], ports: [{number: 5432, name: pg, protocol: TCP}]}",
    "hosts": "{hosts: [d.example, e.example], ports: [{number: 5432, name: pg, protocol: TCP}], resolution: DNS}",
    "ports": "{hosts: [f.example], ports: [{number: 5432, name: a_b, protocol: TCP}], resolution: DNS}",
}
"""Each would be a catch-all on port 5432 if Istio accepted it."""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A file of them."""
    path = tmp_path / "entries.yaml"
    path.write_text("".join(ENTRY.format(name=name, uid="", spec=spec) for name, spec in REFUSED.items()))
    return path


def run(*arguments: object) -> tuple[int, str]:
    """Exit code and standard output."""
    result = CliRunner().invoke(program, [str(a) for a in arguments])
    return result.exit_code, result.stdout


def test_one_finding_each(files: Path) -> None:
    """Each is refused, with the field and its value, and has no other finding; the exit code is that of findings."""
    code, out = run("lint", "-f", files, "-o", "json")
    found = json.loads(out)["findings"]
    assert code == 1
    assert sorted((f["name"], f["code"], f["severity"]) for f in found) == [
        (name, "DA026", "warning") for name in sorted(REFUSED)
    ]
    messages = {f["name"]: f["message"] for f in found}
    assert "spec.resolution: 'dns' is none of" in messages["words"]
    assert "spec.ports[0].protocol: 'POSTGRES'" in messages["words"]
    assert "spec.host: no such field (did you mean hosts?)" in messages["fields"]
    assert "spec.addresses[0]: '10.0.0.01' is no IP address (10.0.0.1 is one)" in messages["address"]
    assert "spec.hosts: 2 hosts, which port 5432 cannot tell apart" in messages["hosts"]
    assert "spec.ports[0].name: 'a_b' is no DNS label" in messages["ports"]


def test_no_listener(files: Path) -> None:
    """A sidecar gets no listener for any of them, which is said."""
    code, out = run("listeners", "--from", "shop", "-f", files)
    assert code == 0
    assert "outbound|" not in out
    assert out.count("has no listener: Istio refuses it") == len(REFUSED)


def test_nothing_is_planned(files: Path) -> None:
    """Nothing is written because of them."""
    code, out = run("plan", "-f", files, "--repair-selector", "", "-o", "json")
    assert code == 0
    told = json.loads(out)
    assert [told[part] for part in ("changes", "unfixed", "left_alone", "withheld")] == [[]] * 4


def test_explained(files: Path) -> None:
    """The story of one says that no cluster has it."""
    code, out = run("explain", "shop/hosts", "-f", files)
    assert code == 0
    assert "is refused by Istio: no cluster can have it" in out


def test_others_are_judged_without_them(files: Path) -> None:
    """An accepted entry on their port is the catch-all: none of them stands before it."""
    with files.open("a") as out:
        spec = "{hosts: [z.example], ports: [{number: 5432, name: pg, protocol: TCP}], resolution: DNS}"
        out.write(ENTRY.format(name="zz", uid="", spec=spec))
    _, said = run("lint", "-f", files, "-o", "json")
    (found,) = (f for f in json.loads(said)["findings"] if f["name"] == "zz")
    assert (found["code"], found["severity"]) == ("DA001", "critical")


def test_what_a_cluster_has_is_there(tmp_path: Path) -> None:
    """One with a uid got past the webhook: istiod uses it, so that it has its other findings too."""
    path = tmp_path / "entry.yaml"
    path.write_text(ENTRY.format(name="hosts", uid=", uid: a-b-c", spec=REFUSED["hosts"]))
    _, out = run("lint", "-f", path, "-o", "json")
    found = json.loads(out)["findings"]
    assert {f["code"] for f in found} == {"DA001", "DA026"}
    assert "every change of it is refused" in next(f["message"] for f in found if f["code"] == "DA026")


def test_by_release(tmp_path: Path) -> None:
    """What one release refuses another accepts: resolution DYNAMIC_DNS, since 1.28, with TLS since 1.29."""
    path = tmp_path / "entry.yaml"
    spec = '{hosts: ["*.a.example"], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DYNAMIC_DNS}'
    path.write_text(ENTRY.format(name="dynamic", uid="", spec=spec))
    said = {}
    for release in ("1.27", "1.28", "1.29"):
        _, out = run("lint", "-f", path, "-o", "json", "--istio-version", release)
        said[release] = [f["message"].partition(": ")[2][:20] for f in json.loads(out)["findings"]]
    assert said == {"1.27": ["spec.resolution: 'DY"], "1.28": ["spec.ports[0].protoc"], "1.29": []}


SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop, annotations: {dnsalias.io/repair: "true"}}
spec: {ports: [{port: 80, name: http}]}
"""
NEARLY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: shop, annotations: {dns-alias.io/repair: "true"}}
spec: {hosts: [a.example], ports: [{number: 443, name: tls, protocol: TLS}]}
"""


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (SERVICE, 'dnsalias.io/repair: "true" means nothing: it is read on a ServiceEntry, and this is a Service'),
        (NEARLY, "no such annotation; did you mean dnsalias.io/repair"),
    ],
)
def test_annotations_elsewhere(tmp_path: Path, manifest: str, said: str) -> None:
    """An annotation of another kind, and one of nearly our group, mean nothing; what would is named."""
    path = tmp_path / "object.yaml"
    path.write_text(manifest)
    code, out = run("lint", "-f", path, "-o", "json")
    (found,) = json.loads(out)["findings"]
    assert (code, found["code"]) == (1, "DA027")
    assert said in found["message"]
