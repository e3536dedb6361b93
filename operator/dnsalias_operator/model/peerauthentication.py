"""An Istio PeerAuthentication (v1, v1beta1: one schema): whether pods take mTLS only, plaintext too, or no mTLS."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dnsalias_operator.model.meta import ObjectMeta, Raw, empty, mapping, text, texts
from dnsalias_operator.model.names import Key


class MtlsMode(StrEnum):
    """Values of ``mtls.mode``; UNSET takes what is set one level up (port, workload, namespace, mesh)."""

    UNSET = "UNSET"
    DISABLE = "DISABLE"
    PERMISSIVE = "PERMISSIVE"
    STRICT = "STRICT"


@dataclass(frozen=True, slots=True)
class PeerAuthentication:
    """A security.istio.io PeerAuthentication.

    ``selector`` is empty where it is for the whole namespace, or for the mesh in the root namespace. ``ports`` are
    modes by the number of the pods' port, not the Service's.
    """

    meta: ObjectMeta
    selector: Mapping[str, str]
    mode: MtlsMode
    ports: Mapping[int, MtlsMode] = field(default_factory=dict)
    raw: Raw = field(default_factory=empty, compare=False, repr=False)

    @property
    def key(self) -> Key:
        """Identity."""
        return Key("PeerAuthentication", self.meta.namespace, self.meta.name)

    @classmethod
    def parse(cls, raw: Raw) -> "PeerAuthentication":
        """Read a PeerAuthentication; total over any mapping."""
        spec = mapping(raw.get("spec"))
        return cls(
            meta=ObjectMeta.parse(raw),
            selector=texts(mapping(spec.get("selector")).get("matchLabels")),
            mode=_mode(spec.get("mtls")),
            ports={
                int(number): _mode(mtls)
                for number, mtls in mapping(spec.get("portLevelMtls")).items()
                if str(number).isdecimal()
            },
            raw=raw,
        )


def _mode(mtls: object) -> MtlsMode:
    given = text(mapping(mtls).get("mode"))
    return MtlsMode(given) if given in MtlsMode.__members__ else MtlsMode.UNSET
