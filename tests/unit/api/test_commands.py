"""The commands that drive a control plane, run against one."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from gatekeeper.cli.main import main
from gatekeeper.flow.control import turn
from gatekeeper.model.key import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import World

    Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give a function that runs one command line and returns (exit code, stdout, stderr)."""
    monkeypatch.setenv("GATEKEEPER_API_URL", world.url)
    monkeypatch.setenv("GATEKEEPER_API_KEY", world.keys[Scope.ADMIN])
    monkeypatch.delenv("GATEKEEPER_WEBHOOK_SECRET", raising=False)

    def command(*args: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(args)
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def test_a_rollout_from_its_files_to_its_end(world: World, run: Run, tmp_path: Path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(world.policy, encoding="utf-8")
    code, out, _ = run(
        "rollout", "create", "--policy", str(policy), "--service", "support", "--candidate", "new", "--id", "r-1"
    )
    assert code == 0
    for words in (
        "Rollout:",
        "r-1",
        "◉ 1. warmup",
        "○ 3. canary",
        "10 %",
        "needs approval",
        "0 % wanted, not yet seen",
    ):
        assert words in out
    assert run("rollout", "pause", "r-1", "--reason", "lunch", "--if-version", "0")[0] == 0
    code, _, err = run("rollout", "resume", "r-1", "--if-version", "0")
    assert code == 2
    assert "version 1, not 0" in err
    assert run("rollout", "resume", "r-1")[0] == 0
    assert json.loads(run("rollout", "list", "--format", "json")[1])["rollouts"][0]["id"] == "r-1"
    assert "running" in run("rollout", "list")[1]
    code, out, _ = run("rollout", "rollback", "r-1", "--reason", "enough")
    assert (code, out.startswith("Rolled back: ")) == (0, True)
    assert "✖ 1. warmup" in run("rollout", "show", "r-1")[1]
    assert run("audit", "verify") == (0, "1 rollouts, 4 entries: every chain is whole\n", "")
    assert run("audit", "verify", "r-1")[0] == 0


@pytest.mark.parametrize(("action", "code"), [("promote", 0), ("rollback", 1), ("abort", 3)])
def test_watch_ends_with_the_code_of_the_end(world: World, run: Run, action: str, code: int):
    rollout_id = world.rollout()

    def end() -> None:
        shown = world.client().act(rollout_id, action)
        epoch, version = shown["epoch"], shown["version"]
        with world.app.read() as unit:
            wanted = unit.rollouts.get(rollout_id)
        world.app.actuator.write(wanted.split_wanted)
        with world.app.unit() as unit:
            unit.splits.report_seen("g1", {"support": (epoch, version)})
        turn(world.app.unit, world.app.actuator)

    later = threading.Timer(0.2, end)
    later.start()
    found, out, err = run("rollout", "watch", rollout_id)
    later.join()
    assert found == code
    assert "State:" in out
    assert "stage 1, 0 %" in err


def test_a_faulty_policy_ends_with_2_and_stores_nothing(world: World, run: Run, tmp_path: Path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("metrics:\n  refusal_rat: {max_increase: 1pp}\nstages:\n  - canary: {weight: 300%}\n", "utf-8")
    code, out, err = run("rollout", "create", "--policy", str(policy), "--service", "support", "--candidate", "new")
    assert (code, out) == (2, "")
    assert f"{policy}:2:3: " in err
    assert f"{policy}:4:" in err
    assert world.client().rollouts() == []
    code, _, err = run("rollout", "create", "--policy", "nowhere.yaml", "--service", "s", "--candidate", "new")
    assert (code, "nowhere.yaml" in err) == (2, True)


def test_releases_and_deployments(run: Run):
    code, digest, _ = run("release", "create", "--model", "m", "--flag", "--max-model-len=512")
    assert (code, len(digest.strip())) == (0, 64)
    assert "max-model-len" in run("release", "show", digest[:12])[1]
    assert digest[:12] in run("release", "list")[1]
    assert run("release", "create", "--model", "m", "--flag", "eager")[0] == 2
    args = ("deployment", "create", "--service", "chat", "--url", "http://127.0.0.1:1/v1", "--model", "m")
    code, name, _ = run(*args, "--release", digest[:12], "--replicas", "2")
    assert (code, name) == (0, f"chat-{digest[:8]}\n")
    assert f"*  chat-{digest[:8]}" in run("deployment", "list", "--service", "chat")[1]
    assert run("deployment", "serve", name.strip(), "--service", "chat")[0] == 0
    assert run("deployment", "serve", name.strip(), "--service", "support")[0] == 2
    shown = json.loads(run("deployment", "list", "--format", "json")[1])["deployments"][0]
    assert (shown["serving"], shown["replicas"]) == (True, 2)


def test_keys_and_webhooks(world: World, run: Run):
    code, text, err = run("key", "create", "--name", "ci", "--scope", "viewer", "--env", "test")
    assert code == 0
    key_id = text.split("_")[2]
    assert key_id in err
    assert key_id in run("key", "list")[1]
    assert run("key", "revoke", key_id)[0] == 0
    assert "revoked" in run("key", "list")[1]
    assert run("key", "revoke", "nobody")[0] == 2
    code, secret, err = run("webhook", "add", "https://receiver.example/hook", "--event", "rollout.promoted")
    assert (code, secret.startswith("whsec_")) == (0, True)
    assert "rollout.promoted" in run("webhook", "list")[1]
    assert secret.strip() not in run("webhook", "list", "--format", "json")[1]
    webhook_id = world.client().webhooks()[0]["id"]
    assert run("webhook", "remove", webhook_id)[0] == 0
    assert world.client().webhooks() == []
    for bad in (("ftp://x",), ("https://x", "--event", "rollout.eaten"), ("https://x", "--secret", "whsec_eA==")):
        assert run("webhook", "add", *bad)[0] == 2


def test_strangers_and_absent_planes_have_their_codes(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEKEEPER_API_KEY", "gk_live_00_00")
    code, _, err = run("rollout", "list")
    assert (code, "not known" in err) == (2, True)
    monkeypatch.setenv("GATEKEEPER_API_URL", "http://127.0.0.1:9")
    code, _, err = run("rollout", "list")
    assert (code, "does not answer" in err) == (4, True)
