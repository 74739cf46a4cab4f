"""Compile the request path into the wheel, where `HATCH_BUILD_HOOK_ENABLE_CUSTOM` is set: hatchling calls this.

mypyc makes C of the same typed source that runs uncompiled elsewhere. It works in a folder of its own, so that no
compiled module is left beside the source, which it would hide.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SETUP = """
import sys
from mypyc.build import mypycify
from setuptools import setup
checks = ["--config-file=", "--ignore-missing-imports"]  # what mypy says of the whole is `make types`
modules = mypycify([*checks, *sys.argv[1:]], opt_level="3")
setup(ext_modules=modules, script_args=["build_ext", "--inplace"], packages=[])
"""


class CompileHook(BuildHookInterface[Any]):
    """Add compiled modules to a wheel. Its setting `modules` names their files."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and have the results included.

        Raises:
            CalledProcessError: they cannot be compiled; what the compiler says was printed.
        """
        if version == "editable":
            return
        self._folder = Path(tempfile.mkdtemp(prefix="gatekeeper-compile-"))
        shutil.copytree(Path(self.root) / "gatekeeper", self._folder / "gatekeeper")
        (self._folder / "setup.py").write_text(_SETUP, encoding="utf-8")
        subprocess.run([sys.executable, "setup.py", *self.config["modules"]], cwd=self._folder, check=True)  # noqa: S603 - ours
        for made in self._folder.rglob("*.so"):
            if "build" not in made.relative_to(self._folder).parts:
                build_data["force_include"][str(made)] = str(made.relative_to(self._folder))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's
        """Remove what was only needed to build."""
        if version != "editable":
            shutil.rmtree(self._folder)
