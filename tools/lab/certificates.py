"""Certificates of the lab: one authority that every pod trusts, and what it signs."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")


class Authority:
    """Signs certificates; its files are in a folder that somebody else removes.

    Attributes:
        certificate: PEM file to trust.
    """

    def __init__(self, folder: Path) -> None:
        """Make the authority's own key and certificate."""
        self._folder = folder
        self._key = folder / "authority.key"
        self.certificate = folder / "authority.pem"
        _openssl("-subj", "/CN=an authority that pods trust", "-keyout", self._key, "-out", self.certificate)

    def sign(self, called: str, names: Iterable[str]) -> Path:
        """A new key and certificate.

        Args:
            called: common name of its subject.
            names: DNS names it is good for.

        Returns:
            The PEM file with both.
        """
        stem = called.replace("*", "any")
        key, certificate, both = (self._folder / f"{stem}.{end}" for end in ("key", "crt", "pem"))
        alternatives = ",".join(f"DNS:{name}" for name in names)
        signer = ("-CA", self.certificate, "-CAkey", self._key)
        extensions = ("-addext", f"subjectAltName={alternatives}", "-addext", "basicConstraints=critical,CA:FALSE")
        _openssl("-subj", f"/CN={called}", *extensions, *signer, "-keyout", key, "-out", certificate)
        both.write_text(key.read_text() + certificate.read_text())
        return both


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", "req", "-x509", *_NEW_KEY, *arguments], check=True, capture_output=True)
