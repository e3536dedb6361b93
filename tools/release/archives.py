"""Archives whose bytes depend on what is in them alone: sorted, owned by nobody, of one time."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LEFT_OVER = (".orig", ".swp")
"""As chart/.helmignore has it."""


def packed(files: Mapping[str, bytes], programs: frozenset[str] = frozenset()) -> bytes:
    """A .tar.gz of these files by path; those among ``programs`` can be run."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755 if name in programs else 0o644
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), compresslevel=9, mtime=0)


def below(folder: Path, name: str) -> dict[str, bytes]:
    """Every file below a folder that is no rest of an editor, by its path with the folder's name replaced."""
    files = (p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".") and p.suffix not in LEFT_OVER)
    return {f"{name}/{p.relative_to(folder).as_posix()}": p.read_bytes() for p in files}


def digest(content: bytes) -> str:
    """The SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def plain(document: object) -> bytes:
    """JSON that is the same for the same document."""
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def oci_layout(chart: bytes, about: Mapping[str, Any]) -> dict[str, bytes]:
    """A chart's package as an OCI image layout, which `helm pull oci://…` of a registry would give.

    ``about`` is Chart.yaml. Sources: OCI image-spec v1, "Image Layout"; Helm, media types of its registry client.
    """
    config = plain(dict(about))
    manifest = plain(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _described(config, "application/vnd.cncf.helm.config.v1+json"),
            "layers": [_described(chart, "application/vnd.cncf.helm.chart.content.v1.tar+gzip")],
            "annotations": {
                "org.opencontainers.image.title": about["name"],
                "org.opencontainers.image.version": about["version"],
            },
        }
    )
    tagged = {"annotations": {"org.opencontainers.image.ref.name": about["version"]}}
    described = _described(manifest, "application/vnd.oci.image.manifest.v1+json")
    return {
        "oci-layout": plain({"imageLayoutVersion": "1.0.0"}),
        "index.json": plain({"schemaVersion": 2, "manifests": [described | tagged]}),
        **{f"blobs/sha256/{digest(blob)}": blob for blob in (config, chart, manifest)},
    }


def _described(blob: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{digest(blob)}", "size": len(blob)}
