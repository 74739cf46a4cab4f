"""One comment that is kept up to date in a review's thread, however often a pipeline runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from gatekeeper.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = 100
MOST_PAGES = 50
TIMEOUT_S = 20.0
_NOT_OURS = frozenset({httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """Say where a thread's comments are, and how they are changed.

    comments_url: lists them, and takes new ones. comment_url: one of them, `{id}` for its id. update: the method that
    changes one. headers: with the credentials. most_chars: the longest comment.
    """

    comments_url: str
    comment_url: str
    update: str
    headers: Mapping[str, str]
    most_chars: int


def upsert(thread: Thread, marker: str, body: str) -> str:
    """Change the comment that begins with the marker, or add one where there is none; return its address, if told.

    A marked comment that may not be changed is somebody else's: a new one is added.

    Raises:
        WorldError: the host does not answer, or refuses.
    """
    with httpx.Client(headers=dict(thread.headers), timeout=TIMEOUT_S, trust_env=True) as client:
        try:
            known = next((each for each in _comments(client, thread) if _marked(each, marker)), None)
            if known is not None:
                url = thread.comment_url.format(id=known["id"])
                answer = client.request(thread.update, url, json={"body": body})
                if answer.status_code not in _NOT_OURS:
                    return _address(answer.raise_for_status())
            return _address(client.post(thread.comments_url, json={"body": body}).raise_for_status())
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as exc:
            raise WorldError(f"the comment could not be written: {exc}") from exc


def _comments(client: httpx.Client, thread: Thread) -> Iterator[dict[str, Any]]:
    for page in range(1, MOST_PAGES + 1):
        answer = client.get(thread.comments_url, params={"per_page": PAGE, "page": page}).raise_for_status()
        found = answer.json()
        yield from found
        if len(found) < PAGE:
            return


def _marked(comment: Mapping[str, Any], marker: str) -> bool:
    return str(comment.get("body") or "").startswith(marker)


def _address(answer: httpx.Response) -> str:
    return str(answer.json().get("html_url") or "")
