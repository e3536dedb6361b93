"""What holds facts about the mesh: ConfigMaps, istiod's Deployment, an IstioOperator, Helm values, a MeshConfig."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import yaml

from dnsalias_operator.core.istio.meshconfig.fields import KNOWN, read_meshconfig
from dnsalias_operator.core.istio.meshconfig.found import NOTHING, Fact, Found, joined
from dnsalias_operator.core.istio.meshconfig.istiod import read_injector, read_istiod, read_values
from dnsalias_operator.model.meta import Raw, mapping, mappings, text

CONFIG, INJECTOR, ISTIOD = "istio", "istio-sidecar-injector", "istiod"
MESH, NETWORKS = "mesh", "meshNetworks"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HELM = ("meshConfig", "global", "pilot")


def names_of(revision: str) -> tuple[tuple[str, str], ...]:
    """Kind and name of the objects that are read in the root namespace, in the order in which their values count.

    Source: getMeshConfigMapName in pilot/pkg/bootstrap/mesh.go; the names in Istio's chart istiod.
    """
    suffix = f"-{revision}" if revision not in ("", "default") else ""
    return (("ConfigMap", CONFIG + suffix), ("Deployment", ISTIOD + suffix), ("ConfigMap", INJECTOR + suffix))


def read_document(raw: Raw, revision: str = "") -> Found:
    """What an object says of the mesh; `NOTHING` where it is none that does.

    ConfigMaps and Deployments are known by their names, those of the ``revision`` alone.
    """
    kind, meta = text(raw.get("kind")), mapping(raw.get("metadata"))
    name = text(meta.get("name"))
    where = f"{kind} {'/'.join(filter(None, (text(meta.get('namespace')), name)))}"
    if (kind, name) not in (*names_of(revision), ("IstioOperator", name)):
        return NOTHING
    if kind == "IstioOperator":
        return _read(where, _operator(mapping(raw.get("spec")), where))
    if kind == "Deployment":
        return _read(where, (read_istiod(raw, where),))
    data = mapping(raw.get("data"))
    if name.startswith(INJECTOR):
        return _read(where, (read_injector(data, where),))
    return read_config(raw) if MESH in data else NOTHING


def read_config(raw: Raw) -> Found:
    """What a ConfigMap with a MeshConfig says, whatever its name."""
    meta = mapping(raw.get("metadata"))
    where = f"ConfigMap {'/'.join(filter(None, (text(meta.get('namespace')), text(meta.get('name')))))}"
    return _read(where, _config(mapping(raw.get("data")), where))


def read_text(content: str, where: str, revision: str = "") -> Found:
    """What a file says of the mesh that is named for that: any of these objects, Helm values, or a MeshConfig alone."""
    try:
        documents = [each for each in yaml.load_all(content, Loader=_LOADER) if each is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return Found(faults=(f"{where}: {_words(error)}; nothing of it is used",))
    found = [_of_file(each, where, revision) for each in documents]
    return joined(found) if found else Found(faults=(f"{where}: it is empty",))


def _of_file(document: object, where: str, revision: str) -> Found:
    if not isinstance(document, Mapping):
        return Found(faults=(f"{where}: expected a mapping, got {type(document).__name__}",))
    if text(document.get("kind")):
        # Named by hand, so of whatever revision it is.
        name = text(mapping(document.get("metadata")).get("name"))
        for stem in (INJECTOR, CONFIG, ISTIOD):
            if name.startswith(f"{stem}-") and (stem != CONFIG or not name.startswith(INJECTOR)):
                revision = name.removeprefix(f"{stem}-")
                break
        found = read_document(document, revision)
        return found or Found(faults=(f"{where}: {document['kind']} {name} says nothing of the mesh",))
    if any(key in document for key in _HELM):
        return _read(where, _helm(document, where))
    if KNOWN.isdisjoint(document):
        return Found(faults=(f"{where}: neither a MeshConfig nor what holds one: none of its fields is known",))
    return _read(where, (read_meshconfig(document, where),))


def _read(where: str, found: Iterable[Found]) -> Found:
    return replace(joined(found), read=(where,))


def _config(data: Mapping[str, Any], where: str) -> Iterator[Found]:
    config, fault = _loaded(data.get(MESH), f"{where}: {MESH}")
    yield Found(faults=(fault,)) if fault else read_meshconfig(config, where)
    networks, _ = _loaded(data.get(NETWORKS), where)
    if networks.get("networks"):
        yield Found(unfollowed=(f"{where}: {NETWORKS}",))


def _loaded(content: object, where: str) -> tuple[Mapping[str, Any], str]:
    """The mapping that a text holds; what is wrong with it, else ""."""
    assumed = "the defaults are assumed"
    try:
        value = yaml.load(text(content), Loader=_LOADER)  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return {}, f"{where}: {_words(error)}; {assumed}"
    if value is not None and not isinstance(value, Mapping):
        return {}, f"{where}: expected a mapping, got {type(value).__name__}; {assumed}"
    return mapping(value), ""


def _words(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return f"not YAML: {' '.join(str(error).split())}"


def _operator(spec: Mapping[str, Any], where: str) -> Iterator[Found]:
    """An IstioOperator: its own meshConfig goes before that of its values."""
    yield read_meshconfig(mapping(spec.get("meshConfig")), f"{where}: spec.meshConfig")
    pilot = mapping(mapping(spec.get("components")).get("pilot"))
    env = {text(v.get("name")): v.get("value") for v in mappings(mapping(pilot.get("k8s")).get("env"))}
    own = {"env": env, "tag": spec.get("tag"), "revision": spec.get("revision")}
    yield _tagged(read_values(own, f"{where}: spec"), "spec.tag")
    yield from _helm(mapping(spec.get("values")), f"{where}: spec.values")


def _helm(values: Mapping[str, Any], where: str) -> Iterator[Found]:
    yield read_meshconfig(mapping(values.get("meshConfig")), f"{where}: meshConfig")
    yield read_values(values, where)


def _tagged(found: Found, name: str) -> Found:
    """The same, with the place of the release named for what it is."""
    facts = (
        Fact(f.name, f.value, f.where.replace("spec: global.tag", name)) if f.name == "istio_version" else f
        for f in found.facts
    )
    return replace(found, facts=tuple(facts))
