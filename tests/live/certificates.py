"""Throw-away authorities and certificates, by the openssl command."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Certificate:
    """Files of a certificate and of its key."""

    certificate: Path
    key: Path


def authority(folder: Path, name: str) -> Certificate:
    """A new authority, trusted by whoever is given its certificate."""
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    _openssl("req", "-x509", *KEY, "-days", "2", "-subj", f"/CN={name}", *_files(made))
    return made


def signed(folder: Path, by: Certificate, *names: str, days: int = 2) -> Certificate:
    """A server's certificate for some names, good for some days."""
    made = Certificate(folder / f"{by.key.stem}-{names[0]}.pem", folder / f"{by.key.stem}-{names[0]}.key")
    alternative = ",".join(f"DNS:{name}" for name in names)
    issuer = ("-CA", str(by.certificate), "-CAkey", str(by.key))
    more = ("-addext", f"subjectAltName={alternative}", "-addext", "basicConstraints=critical,CA:FALSE")
    _openssl("req", "-x509", *KEY, "-days", str(days), "-subj", f"/CN={names[0]}", *issuer, *more, *_files(made))
    return made


def _files(made: Certificate) -> tuple[str, ...]:
    return "-keyout", str(made.key), "-out", str(made.certificate)


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
