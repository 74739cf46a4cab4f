"""The environment, read once into a value that is handed on; only wiring, serve and the command line read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Hold what an operator may set; every field is `GATEKEEPER_<NAME>` in the environment.

    database_url: SQLAlchemy URL. broker_url: `redis://`, `amqp://`, or `memory://` for a worker in this process.
    data_dir: spool, last-good splits and logs. hook_secret: `whsec_...` of inbound generic webhooks, "" refuses them.
    hook_token: bearer token of inbound alerts beside API keys, "" for none. webhook_allow_private: outbound webhooks
    may go to loopback and plain http.
    mirror_in_flight: mirrored copies under way at a time in each gateway; beyond it they are dropped and counted.
    expose_release: answers carry the release and arm headers. override_key: secret with which testers may ask a
    gateway for an arm, "" for nobody.
    evalsets_dir: folder of the evalsets that gate stages ask. engine_api_key: key that workers show to the engines that
    they ask, "" for none.
    """

    database_url: str = "sqlite:///gatekeeper.db"
    broker_url: str = "memory://"
    data_dir: Path = Path("gatekeeper-data")
    host: str = "127.0.0.1"
    api_port: int = 8000
    gateway_port: int = 8080
    ui_port: int = 8501
    api_url: str = "http://127.0.0.1:8000"
    api_key: str = ""
    hook_secret: str = ""
    hook_token: str = ""
    webhook_allow_private: bool = False
    expose_release: bool = False
    mirror_in_flight: int = 256
    override_key: str = ""
    evalsets_dir: Path = Path("evalsets")
    engine_api_key: str = ""

    @property
    def embedded(self) -> bool:
        """Tell whether jobs run in this process."""
        return self.broker_url.startswith("memory://")


_SECRETS = ("api_key", "hook_secret", "hook_token", "override_key", "engine_api_key", "database_url", "broker_url")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Build settings from `GATEKEEPER_*` variables; a secret may stand in the file that `..._FILE` names.

    Raises:
        InputError: a port, switch or secret file cannot be read; the message names the variable and its value.
    """
    found: dict[str, object] = {}
    for field, default in ((name, getattr(Settings(), name)) for name in Settings.__slots__):
        variable = f"GATEKEEPER_{field.upper()}"
        text = environ.get(variable)
        if text is None and field in _SECRETS and (file := environ.get(f"{variable}_FILE")):
            text = _secret(f"{variable}_FILE", file)
        if text is not None:
            found[field] = _value(variable, text, default)
    return Settings(**found)  # type: ignore[arg-type]  # each value has its field's type, by _value


def _secret(variable: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as exc:
        raise InputError(f"{variable}={file!r}: cannot read the secret: {exc.strerror}") from exc


def _value(variable: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        if text.lower() not in _TRUE + _FALSE:
            raise InputError(f"{variable}={text!r}: expected one of {', '.join(_TRUE + _FALSE[:-1])}")
        return text.lower() in _TRUE
    if isinstance(default, int):
        if not text.isdigit() or not 0 <= int(text) <= 65535:  # noqa: PLR2004 - the ports there are, and bounds enough
            raise InputError(f"{variable}={text!r}: expected a whole number from 0 to 65535")
        return int(text)
    return Path(text) if isinstance(default, Path) else text
