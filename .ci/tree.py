"""Check what no linter does: no file too long to read, no package registry's host and no machine's path in the tree."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES_MAX = 400
TEXT = {".py", ".sh", ".toml", ".txt", ".md", ".yaml", ".yml", ".json", ".cfg", ".ini", ".mako", ""}
# The brackets keep this file from finding itself.
HOSTS = re.compile(r"p[y]pi\.org|p[y]thonhosted|download\.p[y]torch|[.]npmjs|[.]yarnpkg|deb[.]debian|[.]anaconda[.]org")
PATHS = re.compile(r"(?<![\w.}\])])/(?:work|opt|root|tmp)/")


def files() -> list[Path]:
    """List the tree's files as git sees them: tracked, and new ones that are not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - a constant command
    return [path for path in map(Path, filter(None, listed.split("\0"))) if path.is_file()]


def faults(path: Path) -> Iterator[str]:
    """Yield one line for each fault of a file, with its place."""
    if path.suffix not in TEXT or path.name == "LICENSE":
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".py" and len(lines) > LINES_MAX:
        yield f"{path}: {len(lines)} lines, {LINES_MAX} at most: split it"
    for number, line in enumerate(lines, start=1):
        if found := HOSTS.search(line):
            yield f"{path}:{number}: names a package registry's host, {found[0]!r}"
        if found := PATHS.search(line):
            yield f"{path}:{number}: names a machine's path, {found[0]!r}"


def main() -> None:
    """Print every fault and exit 1 if there is one."""
    found = [fault for path in files() for fault in faults(path)]
    print("\n".join(found) if found else "tree: no file too long, no registry host, no machine path")
    sys.exit(bool(found))


main()
