"""What an account may do, one right a line, as `kubectl auth can-i --list` finds it out: the API server is asked.

from tests.install import can_i

can_i.listed(control_plane, kubeconfig, "default")  # ["create events.k8s.io/events", ...]
"""

import json
from pathlib import Path

from tools.controlplane.cluster import ControlPlane

REVIEW = "apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
ANYBODY = "system:serviceaccount:default:default"
"""An account that nobody gave anything: what it may do, every account may."""


def listed(plane: ControlPlane, kubeconfig: Path, namespace: str) -> list[str]:
    """The rights of an account in a namespace beyond those of everybody, sorted: ``verb group/resource[ names]``."""
    anybody = plane.write_kubeconfig(ANYBODY, plane.service_account_token("default", "default"))
    return sorted(_ask(plane, kubeconfig, namespace) - _ask(plane, anybody, namespace))


def _ask(plane: ControlPlane, kubeconfig: Path, namespace: str) -> set[str]:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    answer = plane.kubectl("create", "--raw", f"/{REVIEW}", "-f", "-", stdin=json.dumps(review), kubeconfig=kubeconfig)
    status = json.loads(answer)["status"]
    assert not status["incomplete"]
    found = {
        f"{verb} {group}/{resource}" + "".join(f" {name}" for name in rule.get("resourceNames", ()))
        for rule in status["resourceRules"]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    pages = status["nonResourceRules"]
    return found | {f"{verb} {url}" for rule in pages for verb in rule["verbs"] for url in rule["nonResourceURLs"]}


def golden(name: str) -> list[str]:
    """The list that is kept, one right a line; lines that begin with # say why."""
    text = Path(__file__).with_name(f"can-i-{name}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
