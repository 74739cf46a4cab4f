"""TLS on both sides: the certificate that clients see, and whose certificates upstreams may show."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_UNKNOWN_ISSUER = frozenset((18, 19, 20, 21))
"""OpenSSL's codes (X509_V_ERR_*) of a chain that ends in nobody who is trusted."""


class Certificate:
    """Hold the server's certificate; `reload` changes it for the connections to come."""

    def __init__(self, cert: Path, key: Path | None = None) -> None:
        """Load the chain in `cert` and its key, which stands in `key` or in the same file (both PEM).

        Raises:
            InputError: a file cannot be read, is no such PEM, or the two do not belong together.
        """
        self._cert = cert
        self._key = key
        self.context = self._load()
        self.context.set_alpn_protocols(["http/1.1"])

    def reload(self) -> None:
        """Take the files as they are now; what is wrong with them leaves the old ones in use.

        Raises:
            InputError: as at the start.
        """
        self._load()  # a context that fails halfway through would have half of a pair
        self.context.load_cert_chain(self._cert, self._key)

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self._cert, self._key, password=_no_password)
        except OSError as exc:
            files = f"{self._cert}" if self._key is None else f"{self._cert} with the key {self._key}"
            raise InputError(f"TLS certificate {files}: {_why(exc)}") from exc
        return context


def trusting(ca: Path) -> ssl.SSLContext:
    """Return what checks upstreams' certificates: the system's authorities, and those in `ca` (PEM).

    Raises:
        InputError: the file cannot be read or holds no certificate.
    """
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca)
    except OSError as exc:
        raise InputError(f"upstream CA {ca}: {_why(exc)}") from exc
    return context


def refusal(exc: ssl.SSLError, host: str) -> str:
    """Say why an upstream was not talked to, and what mends it."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        text = f"the certificate of {host} is refused: {exc.verify_message.rstrip('.')}"
        if exc.verify_code in _UNKNOWN_ISSUER:
            text += "; if it is yours, name the CA that signed it by --upstream-ca"
        return text
    if exc.reason in ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"):
        return f"{host} does not speak TLS on this port: is its URL http://?"
    return f"TLS with {host} failed: {_why(exc)}"


def _why(exc: OSError) -> str:
    if isinstance(exc, ssl.SSLError):
        return (exc.reason or str(exc)).lower().replace("_", " ")
    return exc.strerror or str(exc)


def _no_password() -> str:
    """Give no password, where OpenSSL would ask the terminal."""
    return ""
