"""Run the command line as `python -m gatekeeper`."""

from __future__ import annotations

from gatekeeper.cli.main import run

run()
