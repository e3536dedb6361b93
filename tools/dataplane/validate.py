"""istiod's own validation of objects, by istioctl: a bare API server takes entries that a mesh's webhook refuses."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from tools.controlplane import build

_FAULT = re.compile(r"^\s*\* (\S+/\S+/\S+?): (.*)$")


def invalid(objects: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The objects that istiod's webhook would refuse, warnings apart.

    Returns:
        The first fault by object, named as ``bulk.label`` does. Kinds that are not Istio's are never in it.
    """
    ours = [obj for obj in objects if "istio.io" in obj["apiVersion"]]
    documents = "\n---\n".join(json.dumps(obj) for obj in ours)
    command = [str(build.ensure("istioctl")["istioctl"]), "validate", "-f", "-"]
    result = subprocess.run(command, input=documents, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return {}
    _, found, errors = (result.stdout + result.stderr).partition("Error: ")
    if not found:
        raise RuntimeError(f"istioctl validate: exit {result.returncode}\n{result.stderr}")
    faults: dict[str, str] = {}
    for line in errors.splitlines():
        if match := _FAULT.match(line):
            faults.setdefault(match[1], match[2])
    return faults
