"""The configuration of sidecars, from a file, standard input, or pods of a cluster."""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dnsalias_operator.cli.reading.envoydump import DumpError, read_dump
from dnsalias_operator.cli.terminal import note
from dnsalias_operator.core.advice.verify import Seen

STDIN = "-"


class SidecarError(Exception):
    """A sidecar's configuration cannot be read; the message names where from, and says what to do."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A sidecar that was read: ``source`` is the file, or the pod with what made it."""

    source: str
    seen: Seen


def from_file(path: str, *, clusters: bool) -> Sampled:
    """Read a file, or standard input where it is "-".

    Raises:
        SidecarError: it cannot be read, or is no sidecar's.
    """
    source = "<stdin>" if path == STDIN else path
    try:
        if path == STDIN:
            return Sampled(source, read_dump(sys.stdin.buffer, clusters=clusters))
        with Path(path).open("rb") as file:
            return Sampled(source, read_dump(file, clusters=clusters))
    except DumpError as error:
        raise SidecarError(f"{source}: {error}") from error
    except OSError as error:
        raise SidecarError(f"{source}: {error.strerror or error}") from error


def from_pod(kubeconfig: str, context: str, namespace: str, pod: str, *, clusters: bool) -> Sampled:
    """Ask the sidecar of a pod.

    Raises:
        SidecarError: the cluster refuses, the pod has no sidecar, or the answer cannot be read.
    """
    from dnsalias_operator.shell.api import sidecars  # noqa: PLC0415 (kubernetes and aiohttp take a while to import)

    try:
        with tempfile.TemporaryFile() as file:
            sidecars.dump_sidecar(kubeconfig or None, context or None, namespace, pod, file)
            file.seek(0)
            return Sampled(f"pod {namespace}/{pod}", read_dump(file, clusters=clusters))
    except sidecars.ClusterError as error:
        raise SidecarError(f"{error}. A dump in a file can be given instead of --pod") from error
    except DumpError as error:
        raise SidecarError(f"pod {namespace}/{pod}: {error}") from error


def from_namespace(kubeconfig: str, context: str, namespace: str, *, clusters: bool) -> Iterator[Sampled]:
    """Ask one pod of each workload; one that cannot be read is reported on standard error, and left out.

    Raises:
        SidecarError: the pods cannot be listed, none has a sidecar, or none can be read.
    """
    from dnsalias_operator.shell.api import sidecars  # noqa: PLC0415 (as above)

    try:
        found = sidecars.one_pod_a_workload(kubeconfig or None, context or None, namespace)
    except sidecars.ClusterError as error:
        raise SidecarError(str(error)) from error
    if not found:
        raise SidecarError(f"namespace {namespace}: no running pod in it has a sidecar (a container istio-proxy)")
    for workload in found:
        try:
            one = from_pod(kubeconfig, context, namespace, workload.pod, clusters=clusters)
        except SidecarError as error:
            note(f"{workload.owner}: {error}")
            continue
        yield Sampled(f"{workload.owner}: {one.source}", one.seen)
