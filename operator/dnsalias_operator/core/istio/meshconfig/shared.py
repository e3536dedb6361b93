"""The ConfigMap of SHARED_MESH_CONFIG: fields of a MeshConfig that count where the mesh's own does not have them.

It is applied first, at every release from 1.20. Source: getConfigurationSources in pilot/pkg/bootstrap/mesh.go and
NewCollection in pkg/config/mesh/meshwatcher at 1.28 and 1.31; merged in pkg/config/mesh/watcher.go at 1.20.
"""

from dataclasses import replace

from dnsalias_operator.core.istio.meshconfig.documents import MESH, read_config
from dnsalias_operator.core.istio.meshconfig.found import SHARED_CONFIG, Found, joined
from dnsalias_operator.model.meta import Raw, mapping, text


def shared_name(found: Found) -> str:
    """The name of the ConfigMap that istiod merges, in the root namespace; "" where it merges none."""
    fact = found.get(SHARED_CONFIG)
    return fact.value if fact is not None and isinstance(fact.value, str) else ""


def is_shared(raw: Raw, name: str) -> bool:
    """Whether an object is the ConfigMap of that name."""
    return text(raw.get("kind")) == "ConfigMap" and text(mapping(raw.get("metadata")).get("name")) == name


def with_shared(found: Found, raw: Raw | None) -> Found:
    """What was found, with the shared ConfigMap below it; None: it is not there, and what it says is not known.

    It is taken in once.
    """
    name = shared_name(found)
    if not name or any(line.endswith(f"/{name}") for line in (*found.read, *found.unread)):
        return found
    if raw is None or MESH not in mapping(raw.get("data")):
        where = next(fact.where for fact in found.facts if fact.name == SHARED_CONFIG)
        return without_shared(found, f"there is no MeshConfig in ConfigMap {name} ({where})")
    shared = read_config(raw)
    left = tuple(fact for fact in shared.facts if found.get(fact.name) is None)
    return joined((found, replace(shared, facts=left)))


def without_shared(found: Found, why: str) -> Found:
    """What was found, where the shared ConfigMap is not read: then the fields that it may have are not known."""
    return joined((replace(found, config=False), Found(unread=(why,))))
