"""GitHub: the pull request that an Actions job runs for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from gatekeeper.adapters.comments._thread import Thread

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_CHARS = 65_536


def thread(environ: Mapping[str, str]) -> Thread | None:
    """Return the pull request's thread; None where the job runs for none, or has no token."""
    token, repository = environ.get("GITHUB_TOKEN", ""), environ.get("GITHUB_REPOSITORY", "")
    number = _pull_request(environ.get("GITHUB_EVENT_PATH", ""))
    if not (token and repository and number):
        return None
    issues = f"{environ.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{repository}/issues"
    return Thread(
        comments_url=f"{issues}/{number}/comments",
        comment_url=f"{issues}/comments/{{id}}",
        update="PATCH",
        headers={
            "authorization": f"Bearer {token}",
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
        },
        most_chars=MOST_CHARS,
    )


def _pull_request(event_path: str) -> int | None:
    """Return the number of the pull request, or of the issue that is one, which the event is about."""
    path = Path(event_path)
    if not event_path or not path.is_file():
        return None
    event = orjson.loads(path.read_bytes())
    about = event.get("pull_request") or (
        event.get("issue") if (event.get("issue") or {}).get("pull_request") else None
    )
    return about.get("number") if about else None
