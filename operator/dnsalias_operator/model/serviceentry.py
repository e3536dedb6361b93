"""An Istio ServiceEntry (v1, v1beta1, v1alpha3: one schema) as a typed view that keeps the raw object."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dnsalias_operator.model.meta import ObjectMeta, Raw, empty, integer, mapping, mappings, strings, text, texts
from dnsalias_operator.model.names import AUTO_ALLOCATE_LABEL, ISTIO_API_VERSION, Key

AUTO_ALLOCATED = "240.240"
"""What the addresses begin with that istiod allocates by default (PILOT_IP_AUTOALLOCATE_IPV4_PREFIX, a /16)."""


@dataclass(frozen=True, slots=True)
class EntryPort:
    """One entry of ``spec.ports``. ``protocol`` is as written ("" where it is not); ``target_port`` 0 where unset."""

    number: int
    name: str = ""
    protocol: str = ""
    target_port: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One inline entry of ``spec.endpoints``."""

    address: str
    labels: Mapping[str, str] = field(default_factory=empty)
    ports: Mapping[str, int] = field(default_factory=dict)
    service_account: str = ""


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """A networking.istio.io ServiceEntry.

    ``location`` and ``resolution`` are as written, with the API's defaults (MESH_EXTERNAL, NONE) where they are not.
    ``export_to`` is None where it is not set. ``workload_selector`` is None where it is not set, an empty mapping where
    it has no labels. ``auto_addresses`` are istiod's own by host, from ``status.addresses``.
    """

    meta: ObjectMeta
    api_version: str
    hosts: tuple[str, ...]
    addresses: tuple[str, ...]
    ports: tuple[EntryPort, ...]
    location: str
    resolution: str
    endpoints: tuple[Endpoint, ...]
    workload_selector: Mapping[str, str] | None
    export_to: tuple[str, ...] | None
    auto_addresses: Mapping[str, tuple[str, ...]]
    raw: Raw = field(default_factory=empty, compare=False, repr=False)

    @property
    def key(self) -> Key:
        """Identity."""
        return Key("ServiceEntry", self.meta.namespace, self.meta.name)

    def allocated(self, host: str) -> tuple[str, ...]:
        """Istiod's own addresses of a host, as its status has them, else the one that is expected; () where none."""
        if not self._allocatable:
            return ()
        expected = self.expected_address(host)
        return self.auto_addresses.get(host) or ((expected,) if expected else ())

    def expected_address(self, host: str) -> str:
        """An address that stands for the one that istiod will allocate to the host; "" where it has one or gets none.

        istiod writes it into the status right after the entry is applied. Which one nobody knows before, so this is
        another one of istiod's range, the same whenever it is asked for. Source:
        pilot/pkg/networking/serviceentry/ip_autoallocation.go.
        """
        if not self._allocatable or self.auto_addresses.get(host) or host.startswith("*"):
            return ""
        name = f"{self.meta.namespace}/{self.meta.name}/{host}"
        third, fourth = hashlib.sha256(name.encode()).digest()[:2]
        return f"{AUTO_ALLOCATED}.{third}.{fourth}"

    @property
    def _allocatable(self) -> bool:
        opted_out = self.meta.labels.get(AUTO_ALLOCATE_LABEL, "").lower() == "false"
        return not self.addresses and self.resolution != "NONE" and not opted_out

    @classmethod
    def parse(cls, raw: Raw) -> "ServiceEntry":
        """Read a ServiceEntry; total over any mapping."""
        spec = mapping(raw.get("spec"))
        selector = spec.get("workloadSelector")
        return cls(
            meta=ObjectMeta.parse(raw),
            api_version=text(raw.get("apiVersion")) or ISTIO_API_VERSION,
            hosts=strings(spec.get("hosts")),
            addresses=strings(spec.get("addresses")),
            ports=tuple(
                EntryPort(
                    number=number,
                    name=text(p.get("name")),
                    protocol=text(p.get("protocol")),
                    target_port=integer(p.get("targetPort")) or 0,
                )
                for p in mappings(spec.get("ports"))
                if (number := integer(p.get("number"))) is not None
            ),
            location=text(spec.get("location")) or "MESH_EXTERNAL",
            resolution=text(spec.get("resolution")) or "NONE",
            endpoints=tuple(
                Endpoint(
                    address=text(e.get("address")),
                    labels=texts(e.get("labels")),
                    ports={k: n for k, v in mapping(e.get("ports")).items() if (n := integer(v)) is not None},
                    service_account=text(e.get("serviceAccount")),
                )
                for e in mappings(spec.get("endpoints"))
            ),
            workload_selector=texts(selector.get("labels")) if isinstance(selector, Mapping) else None,
            export_to=strings(spec.get("exportTo")) or None,
            auto_addresses=_by_host(mappings(mapping(raw.get("status")).get("addresses"))),
            raw=raw,
        )


def _by_host(statuses: Iterable[Raw]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for status in statuses:
        host, value = text(status.get("host")), text(status.get("value"))
        if value:
            found[host] = (*found.get(host, ()), value)
    return found
