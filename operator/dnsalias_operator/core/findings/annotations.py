"""Annotations of `dnsalias.io` that mean nothing (`model.annotations`): what somebody asked for does not happen."""

from collections.abc import Iterator

from dnsalias_operator.core.findings import catalog
from dnsalias_operator.core.outcome import Finding
from dnsalias_operator.model.annotations import meaningless
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry


def annotations_without_meaning(obj: ServiceEntry | DnsAlias | Service) -> Iterator[Finding]:
    """One finding for each of them."""
    for found in meaningless(obj.key.kind, obj.meta.annotations):
        yield catalog.MEANINGLESS_ANNOTATION.at(obj.key, str(found))
