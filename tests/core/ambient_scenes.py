"""What stood in the cluster when each call of tests/core/data/ambient was made.

A recording of calls names each by a phrase, ``what``; a scene is found by it.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from tools import make

Raw = dict[str, Any]
VIP, OLD_VIP, OUTSIDE, PAY, OTHER = "10.96.10.1", "10.96.10.9", "10.9.9.9", "10.244.1.11", "10.244.1.13"
PAY_HOST = "pay.amb-a.svc.cluster.local"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """``entries`` stood beside the Services; ``told`` is what one ztunnel was told of the clusterIP, in that order.

    ``at`` is the address or name that is called; ``counted`` is of many calls, whose results are counted.
    """

    entries: tuple[Raw, ...] = ()
    at: str = VIP
    port: int = 7000
    client: str = "amb-a"
    strict: bool = True
    waypoint: bool = False
    told: tuple[tuple[str, str], ...] = ()
    counted: bool = False
    sidecar: bool = False
    pods: tuple[str, ...] = ("pay-1",)


def entry(name: str, namespace: str, *addresses: str, port: int = 7000, target: int = 7001, **spec: Any) -> Raw:  # noqa: ANN401
    """A ServiceEntry of one port that selects its namespace's pods, unless its spec says otherwise."""
    meta = spec.pop("meta", {})
    host = spec.pop("host", f"{name}.alias")
    selected = {} if "endpoints" in spec or spec.get("resolution") == "NONE" else _selecting("pay")
    ports = [make.entry_port(port, spec.pop("protocol", "TCP"), "tcp-db", targetPort=target)]
    given = {"resolution": "STATIC", "location": "MESH_INTERNAL", **selected, **spec}
    return make.entry(name, host, ports=ports, namespace=namespace, meta=meta, addresses=list(addresses), **given)


def _selecting(app: str) -> Raw:
    return {"workloadSelector": {"labels": {"app": app}}}


NO_AUTO: Raw = {"labels": {"networking.istio.io/enable-autoallocate-ip": "false"}}
HBONE: Raw = {"annotations": {"ambient.istio.io/redirection": "enabled"}}
BY_NAME: Raw = {"resolution": "DNS", "endpoints": [{"address": PAY_HOST}]}
OWN = entry("own", "amb-a", "240.241.1.1")
OWN_AT_HOME = entry("own", "amb-a", "240.241.1.1", exportTo=["."])
BARE = entry("bare", "amb-a", meta=NO_AUTO)
AUTO_STATUS = {"status": {"addresses": [{"host": "auto.alias", "value": "240.240.0.1"}]}}
AUTO = {**entry("auto", "amb-a"), **AUTO_STATUS}
AUTO_7100 = {**entry("auto", "amb-a", port=7100), **AUTO_STATUS}
DNS = entry("dns", "amb-a", "240.241.1.2", target=7000, **BY_NAME)
DNS_TO_7001 = entry("dns", "amb-a", "240.241.1.2", **BY_NAME)
DNS2 = entry("dns2", "amb-a", "240.241.1.10", target=7000, **BY_NAME)
DNS_HBONE = entry("dnsann", "amb-a", "240.241.1.3", target=7000, meta=HBONE, **BY_NAME)
KEEPING = entry("none", "amb-a", "240.241.1.6", resolution="NONE")
ELSEWHERE = entry("sel2", "amb-b", "240.241.1.7")
INLINE = entry("inline", "amb-a", "240.241.1.5", endpoints=[{"address": PAY, "serviceAccount": "pay"}])
SAME = entry("vip", "amb-a", VIP)
STEAL = entry("steal", "amb-b", VIP, **_selecting("other"))
NAMED = entry("fqdn2", "amb-b", "240.241.3.2", host=PAY_HOST, **_selecting("other"))
PREFIX = entry("cidr", "amb-b", "10.9.0.0/16", endpoints=[{"address": OTHER}])
EVERYTHING = entry("all", "amb-b", "0.0.0.0/0", endpoints=[{"address": OTHER}])
ZERO = entry("zero", "amb-b", "0.0.0.0", endpoints=[{"address": OTHER}])  # noqa: S104 (an address of an entry)
REPAIRED = entry("rep", "amb-a", VIP, target=7000, **BY_NAME)
OLDA = entry("olda", "side-c", OLD_VIP, **_selecting("old"))
HTTP = {**entry("http", "amb-a", port=7200, protocol="HTTP", meta=NO_AUTO)}
WITH_LABEL = {**OWN, "metadata": {**OWN["metadata"], "labels": {"istio.io/use-waypoint": "wp"}}}
OF_SIDECAR = (OWN, AUTO_7100, DNS2, HTTP)

PAY_TOLD, VIP_TOLD = ("told", PAY_HOST), ("told", "vip.alias")
STEAL_LAST = (PAY_TOLD, ("told", "steal.alias"))
PAY_LAST = (*STEAL_LAST, PAY_TOLD)
REPAIR_GONE = (PAY_TOLD, ("told", "rep.alias"), ("gone", "rep.alias"))


@dataclass(frozen=True)
class Phrase:
    """Which calls a scene is of: those whose phrase matches; groups of the pattern are fields of the scene."""

    pattern: str
    scene: Scene = field(default_factory=Scene)


_VIP_PORT = r"VIP:(?P<port>\d+)(?: \(the Service's only\))?"
_FROM = r"(?: \[(?:client in )?(?P<client>[-\w]+)\])"
PHRASES: tuple[Phrase, ...] = (
    Phrase(r"baseline: Service by VIP", Scene(strict=False)),
    Phrase(r"baseline: Service by name", Scene(strict=False, at=PAY_HOST)),
    Phrase(r"baseline: outside:(?P<port>\d+)", Scene(at=OUTSIDE)),
    Phrase(r"STRICT(?:: |, )Service by VIP"),
    Phrase(r"Service by name", Scene(at=PAY_HOST)),
    Phrase(r"(?:STRICT: )?from (?:a pod )?outside of the mesh \(must fail\)", Scene(client="", at=PAY, port=7001)),
    Phrase(r"STRICT own address \+ pods, by address", Scene(entries=(OWN,), at="240.241.1.1")),
    Phrase(r"STRICT own address \+ pods, by name", Scene(entries=(OWN,), at="own.alias")),
    Phrase(r"  a port the entry does not have", Scene(entries=(OWN,), at="240.241.1.1", port=7010)),
    Phrase(r"no address at all, by name", Scene(entries=(BARE,), at="bare.alias")),
    Phrase(r"  outside:(?P<port>\d+) beside it \(catch-all\?\)", Scene(entries=(BARE,), at=OUTSIDE)),
    Phrase(r"STRICT DNS endpoint = Service's name", Scene(entries=(DNS,), at="240.241.1.2")),
    Phrase(r"PERMISSIVE DNS endpoint", Scene(entries=(DNS,), at="240.241.1.2", strict=False)),
    Phrase(r"STRICT DNS endpoint, HBONE by annotation", Scene(entries=(DNS_HBONE,), at="240.241.1.3")),
    Phrase(r"resolution NONE, own address", Scene(entries=(KEEPING,), at="240.241.1.6")),
    Phrase(
        r"entry without any endpoint \(selector in another namespace\)", Scene(entries=(ELSEWHERE,), at="240.241.1.7")
    ),
    Phrase(r"STRICT inline endpoint = the pod's IP, serviceAccount", Scene(entries=(INLINE,), at="240.241.1.5")),
    Phrase(r"  the pod's IP itself, then", Scene(entries=(INLINE,), at=PAY, port=7001)),
    Phrase(r"  Service by VIP, then", Scene(entries=(INLINE,))),
    Phrase(r"  (?:entry gone|pod told again): the pod's IP", Scene(at=PAY, port=7001)),
    Phrase(r"  entry gone: Service by VIP"),
    Phrase(rf"same ns, entry and its endpoint told: {_VIP_PORT}", Scene(entries=(SAME,), told=(PAY_TOLD, VIP_TOLD))),
    Phrase(rf"same ns, Service told again with its endpoint: {_VIP_PORT}", Scene(entries=(SAME,))),
    Phrase(rf"same ns, a pod of both told again 12 times: {_VIP_PORT}", Scene(entries=(SAME,), counted=True)),
    Phrase(
        rf"same ns, 6 ztunnels started anew, told the same in one push: {_VIP_PORT}",
        Scene(entries=(SAME,), counted=True),
    ),
    Phrase(rf"same ns, entry DELETED \(STRICT\): {_VIP_PORT}"),
    Phrase(rf"same ns, entry deleted, Service told again: {_VIP_PORT}"),
    Phrase(rf"other ns, entry told last: {_VIP_PORT}{_FROM}", Scene(entries=(STEAL,), told=STEAL_LAST)),
    Phrase(rf"other ns, Service told last: {_VIP_PORT}{_FROM}", Scene(entries=(STEAL,), told=PAY_LAST)),
    Phrase(
        rf"other ns, then entry's pod told again: {_VIP_PORT}{_FROM}",
        Scene(entries=(STEAL,), told=(*PAY_LAST, ("touched", "steal.alias"))),
    ),
    Phrase(rf"other ns, entry deleted: {_VIP_PORT}{_FROM}", Scene()),
    Phrase(rf"entry of amb-b for the Service's own host, by name{_FROM}", Scene(entries=(NAMED,), at=PAY_HOST)),
    Phrase(
        r"prefix 10\.9\.0\.0/16, port 7000: outside 10\.9\.9\.9:(?P<port>\d+)", Scene(entries=(PREFIX,), at=OUTSIDE)
    ),
    Phrase(r"prefix: outside 10\.9\.9\.9:(?P<port>\d+) \(not a port of it\)", Scene(entries=(PREFIX,), at=OUTSIDE)),
    Phrase(r"0\.0\.0\.0/0, port 7000: outside:(?P<port>\d+)", Scene(entries=(EVERYTHING,), at=OUTSIDE)),
    Phrase(r"0\.0\.0\.0/0: outside:(?P<port>\d+)", Scene(entries=(EVERYTHING,), at=OUTSIDE)),
    Phrase(r"0\.0\.0\.0/0: pod IP of pay:(?P<port>\d+)", Scene(entries=(EVERYTHING,), at=PAY)),
    Phrase(rf"0\.0\.0\.0/0: Service {_VIP_PORT}", Scene(entries=(EVERYTHING,))),
    Phrase(r"0\.0\.0\.0/0 gone: outside:(?P<port>\d+)", Scene(at=OUTSIDE)),
    Phrase(r"0\.0\.0\.0 \(no prefix\), port 7000: outside:(?P<port>\d+)", Scene(entries=(ZERO,), at=OUTSIDE)),
    Phrase(rf"Service with a waypoint \(none runs: must go there and fail\): {_VIP_PORT}", Scene(waypoint=True)),
    Phrase(r"alias without the label: (?P<at>[\d.]+):(?P<port>\d+)", Scene(entries=(OWN,), waypoint=True)),
    Phrase(r"alias with the label: (?P<at>[\d.]+):(?P<port>\d+)", Scene(entries=(WITH_LABEL,), waypoint=True)),
    Phrase(
        r"own address \+ selector, exportTo \[\.\] , by name, from (?P<client>[-\w]+)",
        Scene(entries=(OWN_AT_HOME,), at="own.alias"),
    ),
    Phrase(r"auto-allocated \+ selector, by name", Scene(entries=(AUTO,), at="auto.alias")),
    Phrase(r"own address \+ DNS endpoint \(containment today\)", Scene(entries=(DNS_TO_7001,), at="240.241.1.2")),
    Phrase(rf"entry made: {_VIP_PORT}", Scene(entries=(REPAIRED,), told=REPAIR_GONE[:2])),
    Phrase(rf"(?:entry DELETED|20 s later): {_VIP_PORT}", Scene(entries=(REPAIRED,), told=REPAIR_GONE)),
    Phrase(
        rf"one more pod of the Service: {_VIP_PORT}",
        Scene(entries=(REPAIRED,), told=(*REPAIR_GONE, ("touched", PAY_HOST)), pods=("pay-1", "pay-2")),
    ),
    Phrase(rf"that pod gone: {_VIP_PORT}", Scene()),
    Phrase(
        rf"ambient client, Service of sidecars: {_VIP_PORT} before", Scene(at=OLD_VIP, client="amb-c", strict=False)
    ),
    Phrase(rf"  {_VIP_PORT} with the alias", Scene(entries=(OLDA,), at=OLD_VIP, client="amb-c", strict=False)),
    Phrase(
        rf"  4 ztunnels started anew: {_VIP_PORT}",
        Scene(entries=(OLDA,), at=OLD_VIP, client="amb-c", strict=False, counted=True),
    ),
    Phrase(rf"  alias deleted: {_VIP_PORT}", Scene(at=OLD_VIP, client="amb-c", strict=False)),
    Phrase(r"sidecar -> ambient Service VIP, STRICT", Scene(entries=OF_SIDECAR, sidecar=True)),
    Phrase(r"sidecar -> (?P<at>own\.alias) by name \(DNS capture\)", Scene(entries=OF_SIDECAR, sidecar=True)),
    Phrase(
        r"sidecar -> (?P<at>auto\.alias):(?P<port>\d+) by name \(DNS capture\)",
        Scene(entries=OF_SIDECAR, sidecar=True),
    ),
    Phrase(
        r"sidecar -> dns2\.alias, own address, DNS endpoint, STRICT",
        Scene(entries=OF_SIDECAR, at="240.241.1.10", sidecar=True),
    ),
    Phrase(r"sidecar -> outside:(?P<port>\d+) beside .*", Scene(entries=OF_SIDECAR, at=OUTSIDE, sidecar=True)),
)


def scene_of(what: str) -> Scene | None:
    """The scene of a call; None where no phrase matches."""
    for phrase in PHRASES:
        if found := re.fullmatch(phrase.pattern, what):
            given: dict[str, Any] = {name: value for name, value in found.groupdict().items() if value}
            if "port" in given:
                given["port"] = int(given["port"])
            return replace(phrase.scene, **given)
    return None
