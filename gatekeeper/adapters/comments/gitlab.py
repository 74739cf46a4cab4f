"""GitLab: the merge request that a pipeline runs for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.adapters.comments._thread import Thread

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_CHARS = 1_000_000


def thread(environ: Mapping[str, str]) -> Thread | None:
    """Return the merge request's thread; None where the pipeline runs for none, or has no token.

    A job's own token may not write notes: GATEKEEPER_GITLAB_TOKEN holds a project access token with scope `api`.
    """
    token = environ.get("GATEKEEPER_GITLAB_TOKEN", "")
    api, project, number = (environ.get(f"CI_{name}", "") for name in ("API_V4_URL", "PROJECT_ID", "MERGE_REQUEST_IID"))
    if not (token and api and project and number):
        return None
    notes = f"{api}/projects/{project}/merge_requests/{number}/notes"
    return Thread(
        comments_url=notes,
        comment_url=f"{notes}/{{id}}",
        update="PUT",
        headers={"private-token": token},
        most_chars=MOST_CHARS,
    )
