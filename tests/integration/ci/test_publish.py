"""`gatekeeper publish`: summaries, annotations, outputs, and a comment that stays one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters.comments import github, gitlab
from gatekeeper.adapters.comments._thread import upsert
from gatekeeper.cli._publish_length import shortened
from gatekeeper.cli.main import main
from gatekeeper.errors import WorldError

if TYPE_CHECKING:
    from conftest import CodeHost

ROLLBACK = Path(__file__).parents[2] / "golden" / "reports" / "rollback.json"
GITHUB = ("GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_EVENT_PATH", "GITHUB_API_URL", "GITHUB_OUTPUT")


def _github(host: CodeHost, folder: Path, event: dict[str, object] | None = None) -> dict[str, str]:
    path = folder / "event.json"
    path.write_text(json.dumps(event or {"pull_request": {"number": 7}}))
    return {
        "GITHUB_TOKEN": "t0ken", "GITHUB_REPOSITORY": "o/r", "GITHUB_EVENT_PATH": str(path), "GITHUB_API_URL": host.url,
    }  # fmt: skip


def _gitlab(host: CodeHost) -> dict[str, str]:
    return {
        "GATEKEEPER_GITLAB_TOKEN": "t0ken", "CI_API_V4_URL": f"{host.url}/api/v4", "CI_PROJECT_ID": "12",
        "CI_MERGE_REQUEST_IID": "7",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_comment_is_added_once_and_then_changed(host: CodeHost, tmp_path: Path, kind: str):
    found = github.thread(_github(host, tmp_path)) if kind == "github" else gitlab.thread(_gitlab(host))
    assert found is not None
    upsert(found, "<!-- mark -->", "<!-- mark -->\nfirst")
    upsert(found, "<!-- mark -->", "<!-- mark -->\nsecond")
    upsert(found, "<!-- other -->", "<!-- other -->\nthird")
    assert [comment["body"] for comment in host.comments[130:]] == ["<!-- mark -->\nsecond", "<!-- other -->\nthird"]
    changed = [(method, path) for method, path in host.calls if method in {"PATCH", "PUT"}]
    assert changed == [
        ("PATCH", "/repos/o/r/issues/comments/1130")
        if kind == "github"
        else ("PUT", "/api/v4/projects/12/merge_requests/7/notes/1130")
    ]


def test_somebody_elses_marked_comment_is_left_alone(host: CodeHost, tmp_path: Path):
    host.comments.insert(0, {"id": 5000, "body": "<!-- mark --> not yours"})
    host.locked.add(5000)
    found = github.thread(_github(host, tmp_path))
    assert found is not None
    upsert(found, "<!-- mark -->", "<!-- mark -->\nours")
    assert host.comments[0]["body"] == "<!-- mark --> not yours"
    assert host.comments[-1]["body"] == "<!-- mark -->\nours"


def test_a_host_out_of_order_is_told(host: CodeHost, tmp_path: Path):
    host.broken = True
    found = github.thread(_github(host, tmp_path))
    assert found is not None
    with pytest.raises(WorldError, match="500"):
        upsert(found, "m", "m")


@pytest.mark.parametrize(
    ("event", "there"),
    [
        ({"pull_request": {"number": 7}}, True),
        ({"issue": {"number": 7, "pull_request": {"url": "x"}}}, True),
        ({"issue": {"number": 7}}, False),
        ({"ref": "refs/heads/main"}, False),
    ],
)
def test_only_pull_requests_have_a_thread(host: CodeHost, tmp_path: Path, event: dict[str, object], there: bool):  # noqa: FBT001 - a parameter
    environment = _github(host, tmp_path, event)
    assert (github.thread(environment) is not None) is there
    assert github.thread({**environment, "GITHUB_TOKEN": ""}) is None
    assert gitlab.thread({**_gitlab(host), "CI_MERGE_REQUEST_IID": ""}) is None


def _publish(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *args: str) -> int:
    for name in GITHUB:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return main(["publish", str(ROLLBACK), "--to", "github", *args])


def test_a_rollback_is_published_everywhere(
    host: CodeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    files = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_OUTPUT": str(tmp_path / "output")}
    assert _publish(monkeypatch, {**_github(host, tmp_path), **files}, "--title", "v2", "--key", "a-->b") == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].startswith("::error title=gatekeeper::Rollback: ")
    assert 1 < len(lines) <= 10
    assert all(line.startswith(("::error ", "::warning ")) for line in lines)
    assert "**Rollback**" in (tmp_path / "summary").read_text()
    assert "verdict<<end-" in (tmp_path / "output").read_text()
    assert host.comments[-1]["body"].startswith("<!-- gatekeeper: a->b -->\n### gatekeeper: v2\n")
    assert said.err.startswith("commented: http://")


def test_a_comment_that_cannot_be_written_changes_no_exit_code(
    host: CodeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    host.broken = True
    assert _publish(monkeypatch, _github(host, tmp_path)) == 0
    assert "no comment: the comment could not be written" in capsys.readouterr().err
    assert _publish(monkeypatch, {}) == 0
    assert "no comment: this job runs for no pull or merge request" in capsys.readouterr().err


def test_what_is_no_report_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "r.json").write_text('{"verdict": "maybe"}')
    assert main(["publish", str(tmp_path / "r.json"), "--to", "github"]) == 2
    assert "expected a report" in capsys.readouterr().err
    assert main(["publish", str(ROLLBACK), "--to", "gitbucket"]) == 2
    assert "known: github, gitlab" in capsys.readouterr().err


def test_a_long_report_is_shortened_to_what_fits():
    folded = "verdict\n" + "row\n" * 10 + "<details>" + "x" * 5000
    short = shortened(folded, 400)
    assert short.startswith("verdict\nrow")
    assert "<details>" not in short
    assert "its JSON has the rest" in short
    assert len(shortened("é\n" * 5000, 400).encode()) <= 400
    assert shortened("fits", 400) == "fits"
