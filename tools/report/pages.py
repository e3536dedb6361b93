"""The pages that are looked at: the incident, and worlds that are hard on a layout."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
INCIDENT = REPOSITORY / "examples" / "incident"
ARTEFACTS = REPOSITORY / "build" / "report"
_DNSALIAS = Path(sys.executable).with_name("dnsalias")

_ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  hosts: [{host}]
  resolution: DNS
  exportTo: ["{export_to}"]
  ports: [{{name: tcp, number: {port}, protocol: TCP}}]
---
"""
_LONG = "a-very-long-name-that-somebody-chose-" * 6
HARD = "".join(
    _ENTRY.format(name=f"{_LONG}{n}", namespace="n" * 60, host=f"{_LONG}.{n}.hello", export_to="*", port=443)
    for n in range(6)
) + _ENTRY.format(
    name='"\u6771\u4eac\u30b5\u30fc\u30d3\u30b9"', namespace="own", host="x.hello", export_to=".", port=443
)
"""Names as long as Kubernetes allows, many catch-alls on one port, wide letters, and pods that see other things."""
CLEAN = "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\nspec: {ports: [{port: 80}]}\n"


def html(*arguments: str | Path, stdin: str = "") -> str:
    """What `dnsalias lint -o html` prints; run in the repository, so that paths are short."""
    command = [str(_DNSALIAS), "lint", "-o", "html", "--fail-on", "never", *map(str, arguments)]
    return subprocess.run(
        command, input=stdin, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=120
    ).stdout


def incident() -> str:
    """The incident's page."""
    return html("-f", INCIDENT.relative_to(REPOSITORY))
