"""The `cohorts` and `segment_rules` of a policy: keys that are in one list, rules that can be met and that count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.decide import _units
from gatekeeper.decide._faults import did_you_mean
from gatekeeper.decide.classify import PLAIN
from gatekeeper.model.cohort import Cohorts, SegmentRule
from gatekeeper.model.split import WHOLE_BP

if TYPE_CHECKING:
    from gatekeeper.decide._faults import Faults
    from gatekeeper.decide._yaml import Path

_SECRET = frozenset(("authorization", "cookie", "proxy-authorization", "x-api-key", "x-gatekeeper-override-key"))
_CREDENTIALS = ("bearer ", "basic ", "sk-")


def cohorts(body: Any, faults: Faults) -> Cohorts | None:  # noqa: ANN401 - any JSON value
    """Read who stays out of the draw; None: nobody. What is wrong goes to `faults`."""
    if not isinstance(body, dict) or not faults.usable(("cohorts",)):
        return None
    lists = {name: _keys(body, name, faults) for name in ("candidate", "baseline")}
    for index, key in enumerate(lists["baseline"]):
        if key in lists["candidate"]:
            faults.add(("cohorts", "baseline", index), f"found {key!r}, which `candidate` lists too, expected it once")
    return Cohorts(
        candidate=tuple(lists["candidate"]), baseline=tuple(lists["baseline"]), holdout_bp=_holdout_bp(body, faults)
    )


def segment_rules(body: dict[str, Any], faults: Faults) -> tuple[SegmentRule, ...]:
    """Read how gateways tell segments; what is wrong goes to `faults`. body: the whole policy's."""
    rules = body.get("segment_rules")
    if not isinstance(rules, list) or not faults.usable(("segment_rules",)):
        return ()
    read: list[SegmentRule] = []
    for index, item in enumerate(rules):
        path: Path = ("segment_rules", index)
        if not isinstance(item, dict) or not faults.usable(path):
            continue
        if "segment" in item and all(faults.usable((*path, key)) for key in item):
            rule = _rule(item, path, faults)
            read.append(rule)
            if not rule.conditional and index < len(rules) - 1:
                text = "found a rule that every request meets, expected it last: it hides those after it"
                faults.add(path, text, block=False)
    if faults.usable(("segments",)):
        _check_keys(rules, tuple(body.get("segments") or (PLAIN,)), faults)
    return tuple(read)


def _keys(body: dict[str, Any], name: str, faults: Faults) -> list[str]:
    if name not in body or not faults.usable(("cohorts", name)):
        return []
    for index, key in enumerate(body[name]):
        if isinstance(key, str) and key.lower().startswith(_CREDENTIALS):
            text = (
                "found a credential, expected `sha256:` and the hexadecimal SHA-256 of the Authorization header's value"
            )
            faults.add(("cohorts", name, index), text)
    return [key for index, key in enumerate(body[name]) if faults.usable(("cohorts", name, index))]


def _holdout_bp(body: dict[str, Any], faults: Faults) -> int:
    path: Path = ("cohorts", "holdout")
    if "holdout" not in body or not faults.usable(path):
        return 0
    try:
        share_bp = _units.share_bp(body["holdout"])
    except ValueError as exc:
        faults.add(path, str(exc))
        return 0
    if share_bp >= WHOLE_BP:
        faults.add(path, f"found {body['holdout']}, expected less than 100%: nobody would be left to compare")
    return share_bp


def _rule(item: dict[str, Any], path: Path, faults: Faults) -> SegmentRule:
    headers = {name.lower(): value for name, value in item.get("header", {}).items()}
    for name in item.get("header", {}):
        if name.lower() in _SECRET:
            text = f"the header {name!r} holds a secret, which a policy must not: expected another header"
            faults.add((*path, "header", name), text, at_key=True)
    return SegmentRule(
        segment=tuple(sorted(item["segment"].items())),
        headers=tuple(sorted(headers.items())),
        model=item.get("model"),
        path=item.get("path"),
        min_bytes=item.get("min_bytes", 0),
    )


def _check_keys(rules: list[Any], known: tuple[str, ...], faults: Faults) -> None:
    """Refuse a segment key that nothing reads: most likely it is misspelt."""
    for index, item in enumerate(rules):
        path: Path = ("segment_rules", index, "segment")
        if not isinstance(item, dict) or not isinstance(item.get("segment"), dict) or not faults.usable(path):
            continue
        for key in item["segment"]:
            if key not in known and faults.usable((*path, key)):
                hint = did_you_mean(key, known) or f"; known: {', '.join(known)}"
                faults.add((*path, key), f"{key!r} is not in `segments`{hint}", at_key=True)
