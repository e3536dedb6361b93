"""Keys, tokens and kubeconfigs of one throw-away control plane. Nothing here outlives its folder."""

import base64
import secrets
from pathlib import Path

import yaml

ADMIN = "admin"
CONTROLLER_MANAGER = "system:kube-controller-manager"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Number of points of the curve P-256; private keys are the numbers from 1 to below it (FIPS 186-4, D.1.2.3)."""


def new_token() -> str:
    """A bearer token that nobody guesses."""
    return secrets.token_urlsafe(32)


def token_file(tokens: dict[str, str]) -> str:
    """A kube-apiserver static token file: one user a token, each a member of system:masters.

    Args:
        tokens: token by user name. The controller manager is a user of its own only to be told apart in the audit log.
    """
    return "".join(f'{token},{user},{user},"system:masters"\n' for user, token in tokens.items())


def service_account_key() -> str:
    """A new private key, PEM, with which the API server signs service account tokens.

    An EC key in SEC 1 form (RFC 5915) is its number alone, the curve's name beside it: the public half is optional
    and the API server computes it. So this needs neither OpenSSL nor a library.
    """
    number = secrets.randbelow(P256_ORDER - 1) + 1
    version, octets, curve = (bytes.fromhex(part) for part in ("020101", "0420", "a00a06082a8648ce3d030107"))
    body = version + octets + number.to_bytes(32, "big") + curve
    der = bytes([0x30, len(body)]) + body
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN EC PRIVATE KEY-----\n{text}-----END EC PRIVATE KEY-----\n"


def write_kubeconfig(path: Path, *, url: str, ca_file: Path, user: str, token: str, namespace: str = "default") -> Path:
    """Write a kubeconfig for one user and return its path. The CA is inlined, so that the file can be copied."""
    authority = base64.b64encode(ca_file.read_bytes()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "controlplane",
        "contexts": [
            {"name": "controlplane", "context": {"cluster": "controlplane", "user": user, "namespace": namespace}}
        ],
        "clusters": [{"name": "controlplane", "cluster": {"server": url, "certificate-authority-data": authority}}],
        "users": [{"name": user, "user": {"token": token}}],
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path
