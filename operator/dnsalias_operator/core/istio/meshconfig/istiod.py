"""What istiod's Deployment and the injector's values say: release, environment, cluster, network, domain.

Source: the Deployment and the ConfigMap istio-sidecar-injector of Istio's chart istiod; pilot/pkg/features for the
variables.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from dnsalias_operator.core.istio.meshconfig.fields import truth
from dnsalias_operator.core.istio.meshconfig.found import (
    REMOTE_PILOT,
    SERVES_OTHERS,
    SHARED_CONFIG,
    Fact,
    Found,
    got,
    shown,
)
from dnsalias_operator.model.meta import Raw, mapping, mappings, strings, text
from dnsalias_operator.model.names import DOMAIN_PATTERN
from dnsalias_operator.model.release import MODELLED, RELEASE_PATTERN

VERSION_LABEL = "app.kubernetes.io/version"
REVISION_LABEL = "istio.io/rev"
SHARED = "SHARED_MESH_CONFIG"
EXTERNAL = "EXTERNAL_ISTIOD"
"""Whether istiod serves clusters that have none; without it they get no root certificate (docs/clusters.md)."""
_VARIABLES = {"PILOT_ENABLE_IP_AUTOALLOCATE": "ip_autoallocate", "ISTIO_DUAL_STACK": "istio_dual_stack"}
"""Variables that the model follows, and the fields of `Mesh`."""
_UNFOLLOWED = {
    "ENABLE_EXTERNAL_NAME_ALIAS": True,
    "PILOT_ENABLE_SERVICEENTRY_SELECT_PODS": True,
    "PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE": True,
    "ENABLE_ENHANCED_RESOURCE_SCOPING": True,
}
"""Variables that it does not follow, and the value with which its rules were measured."""


def read_istiod(deployment: Raw, where: str) -> Found:
    """Read istiod's Deployment."""
    meta, pod = mapping(deployment.get("metadata")), mapping(mapping(deployment.get("spec")).get("template"))
    container = _container(mapping(pod.get("spec")))
    labels = mapping(meta.get("labels"))
    facts: list[Fact] = []
    faults: list[str] = []
    release = text(labels.get(VERSION_LABEL)) or _tag(text(container.get("image")))
    came = f"label {VERSION_LABEL}" if labels.get(VERSION_LABEL) else "tag of its image"
    _release(release, f"{where}: {came}", facts, faults)
    if revision := text(labels.get(REVISION_LABEL)):
        facts.append(Fact("revision", revision, f"{where}: label {REVISION_LABEL}"))
    if domain := _argument(container, "--domain"):
        _domain(domain, f"{where}: --domain", facts, faults)
    given = {text(v.get("name")): v.get("value") for v in mappings(container.get("env"))}
    return _with_variables(given, f"{where}: env", facts, faults)


def read_values(values: Mapping[str, Any], where: str) -> Found:
    """Read what the Helm values of istiod, or those that the injector keeps, say beside the MeshConfig."""
    told = mapping(values.get("global"))
    pilot = mapping(values.get("pilot"))
    facts: list[Fact] = []
    faults: list[str] = []
    tag = values.get("tag") or pilot.get("tag") or told.get("tag")
    if isinstance(tag, str | float):
        _release(str(tag), f"{where}: global.tag", facts, faults)
    cluster = text(mapping(told.get("multiCluster")).get("clusterName"))
    for name, value, path in (
        ("cluster", cluster, "global.multiCluster.clusterName"),
        ("network", text(told.get("network")), "global.network"),
        (REMOTE_PILOT, text(told.get("remotePilotAddress")), "global.remotePilotAddress"),
        ("revision", text(values.get("revision")), "revision"),
    ):
        if value:
            facts.append(Fact(name, value, f"{where}: {path}"))
    if told.get("externalIstiod") is True:
        facts.append(Fact(SERVES_OTHERS, True, f"{where}: global.externalIstiod"))
    if domain := text(mapping(told.get("proxy")).get("clusterDomain")):
        _domain(domain, f"{where}: global.proxy.clusterDomain", facts, faults)
    given = {**mapping(values.get("env")), **mapping(pilot.get("env"))}
    return _with_variables(given, f"{where}: env", facts, faults)


def read_injector(data: Mapping[str, Any], where: str) -> Found:
    """Read the key ``values`` of ConfigMap istio-sidecar-injector: the chart's values as JSON."""
    try:
        values = json.loads(text(data.get("values")) or "{}")
    except (ValueError, RecursionError) as error:
        return Found(faults=(f"{where}: values: not JSON ({error}); cluster and network are not known",))
    if not isinstance(values, Mapping):
        return Found(faults=(f"{where}: values: expected a mapping; cluster and network are not known",))
    found = read_values(values, f"{where}: values")
    # Its tag is that of the sidecars; istiod's own release is in its Deployment.
    facts = tuple(fact for fact in found.facts if fact.name not in ("istio_version", *_VARIABLES.values()))
    return Found(facts, tuple(fault for fault in found.faults if "global.tag" not in fault))


def _with_variables(given: Mapping[str, object], where: str, facts: list[Fact], faults: list[str]) -> Found:
    unfollowed = []
    for variable, name in _VARIABLES.items():
        if variable in given:
            told = _told(given[variable])
            if told is None:
                faults.append(f"{where}: {variable}: expected true or false, got {got(given[variable])}")
            else:
                facts.append(Fact(name, told, f"{where}: {variable}"))
    if _told(given.get(EXTERNAL)):
        facts.append(Fact(SERVES_OTHERS, True, f"{where}: {EXTERNAL}"))
    if shared := text(given.get(SHARED)):
        facts.append(Fact(SHARED_CONFIG, shared, f"{where}: {SHARED}"))
    unfollowed += list(_others(given, where))
    return Found(tuple(facts), tuple(faults), tuple(unfollowed))


def _others(given: Mapping[str, object], where: str) -> Iterator[str]:
    for variable, measured in _UNFOLLOWED.items():
        if variable in given and _told(given[variable]) is not measured:
            yield f"{where}: {variable}={_plain(given[variable])}"


def _told(value: object) -> bool | None:
    """What a variable says; Helm values have true as such."""
    return value if isinstance(value, bool) else truth(value)


def _plain(value: object) -> str:
    return shown(value) if isinstance(value, str | bool) else got(value)


def _release(release: str, where: str, facts: list[Fact], faults: list[str]) -> None:
    if re.fullmatch(RELEASE_PATTERN, release):
        facts.append(Fact("istio_version", release, where))
    elif release:
        faults.append(f"{where}: {got(release)} is no release that is modelled ({MODELLED}); set istio_version")


def _domain(domain: str, where: str, facts: list[Fact], faults: list[str]) -> None:
    if re.fullmatch(DOMAIN_PATTERN, domain):
        facts.append(Fact("cluster_domain", domain, where))
    else:
        faults.append(f"{where}: expected a DNS name, got {got(domain)}; the default is assumed")


def _container(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = mappings(pod.get("containers"))
    named = (each for each in containers if each.get("name") == "discovery")
    return next(named, next(iter(containers), {}))


def _tag(image: str) -> str:
    """The tag of an image, "" where it has none but a digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def _argument(container: Mapping[str, Any], flag: str) -> str:
    """The value of a flag among the container's arguments; "" where it is not there, or a variable."""
    arguments = strings(container.get("args"))
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == flag:
            found = value if equals else next(iter(arguments[index + 1 : index + 2]), "")
            return "" if "$" in found else found
    return ""
