"""A real Prometheus on loopback, told to scrape as manifests/monitoring tells the Prometheus operator.

It looks at its targets and evaluates its rules every second, and the delays of the alerts are shortened to
`DELAY`: all else of the rules is as it is installed (rules.hastened).
"""

import json
import secrets
import socket
import urllib.parse
import urllib.request
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import yaml

from tests.monitoring import rules
from tools.controlplane.processes import Supervisor
from tools.controlplane.waiting import eventually
from tools.running import identity

DELAY = "3s"
TARGETS = "targets.json"
ATTEMPTS = 4
PORT_TAKEN = "address already in use"
MONITORING = identity.MANIFESTS / "monitoring"

Labels = dict[str, str]


class Sample(NamedTuple):
    """A series' labels, without its name, and its value now."""

    labels: Labels
    value: float


class Prometheus:
    """A running Prometheus; a context manager that ends it.

    Its process and its data belong to ``supervisor``: it cannot outlive the test run.
    """

    def __init__(self, supervisor: Supervisor, binary: Path) -> None:
        self._supervisor, self._binary = supervisor, binary
        self._name = f"prometheus-{secrets.token_hex(4)}"
        self._folder = supervisor.folder / self._name
        self._port = 0

    def __enter__(self) -> Self:
        self._folder.mkdir()
        (self._folder / "prometheus.yaml").write_text(yaml.safe_dump(self._config()), encoding="utf-8")
        self.scrape()
        for _ in range(ATTEMPTS):
            if self._start():
                return self
        raise AssertionError(f"Prometheus found no free port in {ATTEMPTS} attempts")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._supervisor.kill(self._name)

    def scrape(self, *ports: int) -> None:
        """From now on, scrape these ports of loopback and no other; read within a second or two."""
        # The labels that the Prometheus operator gives to a target: `honorLabels` decides what comes of `namespace`.
        labels = {"namespace": identity.NAMESPACE, "pod": "operator-0", "endpoint": _endpoint()["port"]}
        listed = [{"targets": [f"127.0.0.1:{port}"], "labels": labels} for port in ports]
        new = self._folder / f"{TARGETS}.new"
        new.write_text(json.dumps(listed), encoding="utf-8")
        new.rename(self._folder / TARGETS)

    def query(self, expression: str) -> list[Sample]:
        """Evaluate an expression, now."""
        result = self._get("query", query=expression)
        found = result["result"]
        if result["resultType"] == "scalar":
            return [Sample({}, float(found[1]))]
        return [
            Sample({k: v for k, v in one["metric"].items() if k != "__name__"}, float(one["value"][1])) for one in found
        ]

    def alerts(self, name: str, **labels: str) -> list[dict[str, Any]]:
        """The alerts of that name that are pending or firing now and have these labels: state, labels, annotations."""
        every = self._get("alerts")["alerts"]
        return [a for a in every if a["labels"]["alertname"] == name and labels.items() <= a["labels"].items()]

    def states(self, name: str, since: float, **labels: str) -> list[str]:
        """The states that alerts with these labels have gone through since that time, one after the other.

        Read from what Prometheus records of its own alerts, so that a state which was over quickly is not missed.
        """
        matchers = ",".join(f'{k}="{v}"' for k, v in {"alertname": name, **labels}.items())
        series = self._get("query", query=f"ALERTS{{{matchers}}}[1h]")["result"]
        seen = sorted((at, one["metric"]["alertstate"]) for one in series for at, _ in one["values"] if at >= since)
        return [state for state, _ in groupby(state for _, state in seen)]

    def metrics(self) -> set[str]:
        """The name of every metric it has ever seen."""
        return set(self._get("label/__name__/values"))

    def _start(self) -> bool:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            port = held.getsockname()[1]
        before = len(self._supervisor.log(self._name))
        self._supervisor.spawn(
            self._name,
            [
                self._binary,
                f"--config.file={self._folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ],
        )
        self._port = port
        eventually(lambda: self._ended() or self._ready(), "Prometheus is ready")
        if not self._ended():
            return True
        said = self._supervisor.log(self._name)[before:]
        self._supervisor.kill(self._name)
        assert PORT_TAKEN in said, said
        return False

    def _ended(self) -> bool:
        return self._supervisor.status()[self._name] is not None

    def _ready(self) -> bool:
        try:
            return self._ask("/-/ready") != b""
        except OSError:
            return False

    def _get(self, path: str, **query: object) -> Any:  # noqa: ANN401 (JSON)
        return json.loads(self._ask(f"/api/v1/{path}?{urllib.parse.urlencode(query)}"))["data"]

    def _ask(self, path: str) -> bytes:
        """The body of an answer 200.

        Raises:
            OSError: another answer, or none.
        """
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=30) as answer:
            return bytes(answer.read())

    def _config(self) -> dict[str, Any]:
        endpoint = _endpoint()
        return {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules.write(rules.hastened(rules.rules(), DELAY), self._folder))],
            "scrape_configs": [
                {
                    "job_name": "dnsalias-operator",
                    "metrics_path": endpoint["path"],
                    "honor_labels": endpoint["honorLabels"],
                    "file_sd_configs": [{"files": [str(self._folder / TARGETS)], "refresh_interval": "1s"}],
                }
            ],
        }


def _endpoint() -> dict[str, Any]:
    """What the ServiceMonitor says of the one endpoint."""
    loaded = yaml.safe_load((MONITORING / "servicemonitor.yaml").read_text(encoding="utf-8"))
    (endpoint,) = loaded["spec"]["endpoints"]
    return dict(endpoint)
