"""The results as tables, and the page that holds them between marks."""

from __future__ import annotations

import re
import statistics
from typing import TYPE_CHECKING, Any

from proxies import OURS, PEERS
from scenarios import DIRECT
from tools import HERE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PAGE = HERE.parents[1] / "docs" / "gateway-performance.md"
IMAGES = HERE.parents[1] / "docs" / "images"
RESULTS = HERE / "results.json"
ASKED_TOKENS_PER_S = 12_800
_KEPT_UP = 0.95
_FINE = 0.999
_MANY = 100

Rows = "Mapping[str, Sequence[Mapping[str, Any]]]"


def tables(results: Mapping[str, Any]) -> dict[str, str]:
    """Return the comparison, the goals and the machine, by the name of their place on the page."""
    return {"comparison": _comparison(results), "goals": _goals(results), "machine": _machine(results["machine"])}


def middle(values: Sequence[float]) -> str:
    """Write the median and, for more than one, the least and the greatest."""
    text = number(statistics.median(values))
    return text if len(values) == 1 else f"{text} ({number(min(values))} to {number(max(values))})"


def number(value: float) -> str:
    """Write a figure short: two digits after the point where it is small, none where it is large."""
    return f"{value:,.0f}" if abs(value) >= _MANY else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"  # noqa: PLR2004 - as told


def figures(results: Mapping[str, Any], scenario: str, server: str, name: str) -> list[float]:
    """Return one figure of every round; none where it was not measured."""
    rows = results.get(scenario, {}).get("rows", {}).get(server, [])
    return [row[name] for row in rows if row.get(name) is not None]


def _comparison(results: Mapping[str, Any]) -> str:
    columns: dict[str, Callable[[str], str]] = {
        "CPU µs per request": lambda server: _cpu(results, "requests", server),
        "CPU µs per copied request": lambda server: _cpu(results, "mirror", server),
        "CPU µs per token, 16 streams": lambda server: _cpu(results, "streams", server),
        "CPU µs per token, 12,800/s": lambda server: _cpu(results, "firehose", server),
        "added ms, p50 / p99": lambda server: _added(results, "latency", server),
        "added ms to the first token, p50 / p99": lambda server: _added(results, "first-token", server),
        "MB idle / 1,000 streams": lambda server: _memory(results, server),
    }
    rows = [[server, *(cell(server) for cell in columns.values())] for server in (DIRECT, *PEERS)]
    return "\n\n".join([_markdown(["", *columns], rows), *_missing(results)])


def _cpu(results: Mapping[str, Any], scenario: str, server: str) -> str:
    """Write the CPU time, how many times ours that is, and what the server did not hold."""
    used = figures(results, scenario, server, "cpu_us")
    if not used:
        return "not measured"
    words = [number(statistics.median(used))]
    if ratios := figures(results, scenario, server, "ratio"):
        words.append(f"{middle(ratios)} of ours")
    reached = statistics.median(figures(results, scenario, server, "per_s"))
    if scenario == "firehose" and reached < _KEPT_UP * ASKED_TOKENS_PER_S:
        words.append(f"reached {number(reached)}/s")
    failed = statistics.median(figures(results, scenario, server, "failed"))
    if failed > 1 - _FINE:
        words.append(f"failed {failed:.1%}")
    recorded = figures(results, scenario, server, "recorded")
    if recorded and statistics.median(recorded) < _FINE:
        words.append(f"recorded {statistics.median(recorded):.0%}")
    return ", ".join(words)


def _added(results: Mapping[str, Any], scenario: str, server: str) -> str:
    pair = [figures(results, scenario, server, f"added_{name}") for name in ("p50_ms", "p99_ms")]
    return " / ".join(f"{statistics.median(one):.2f}" for one in pair) if all(pair) else "not measured"


def _memory(results: Mapping[str, Any], server: str) -> str:
    row = results.get("memory", {}).get("rows", {}).get(server)
    if row is None:
        return "not measured"
    begun = "" if row["begun"] >= results["memory"]["streams"] else f" ({row['begun']} had begun)"
    return f"{row['idle_mb']:.0f} / {row['open_mb']:.0f}{begun}"


def _missing(results: Mapping[str, Any]) -> list[str]:
    """Say who was not measured in what, and why."""
    told = []
    for scenario, found in results.items():
        for server, why in found.get("missing", {}).items():
            told.append(f"- {server}, {scenario}: {' '.join(why.split())[:300]}")
    return ["Not measured:\n\n" + "\n".join(told)] if told else []


def _goals(results: Mapping[str, Any]) -> str:
    """Hold the figures against what was aimed at."""
    rows = []
    for scenario, peer, text, bound in (
        ("requests", "nginx", "CPU per request, ours ÷ nginx", 1.3),
        ("firehose", "nginx", "CPU per token at 12,800/s, ours ÷ nginx", 1.3),
        ("mirror", "nginx", "CPU per copied request, ours ÷ nginx", 0.7),
    ):
        ratios = [1 / ratio for ratio in figures(results, scenario, peer, "ratio")]
        rows.append(_goal(text, ratios, bound, at_most=True))
    ratios = figures(results, "requests", "LiteLLM proxy", "ratio")
    rows.append(_goal("CPU per request, LiteLLM ÷ ours", ratios, 200, at_most=False))
    added = figures(results, "first-token", OURS, "added_p50_ms")
    rows.append(_goal("added to the first token at 50/s, p50, ms", added, 0.5, at_most=True))
    memory = results.get("memory", {}).get("rows", {}).get(OURS)
    rows.append(_goal("MB at 1,000 open streams", [memory["open_mb"]] if memory else [], 150, at_most=True))
    return _markdown(["goal", "measured", "to reach", ""], rows)


def _goal(text: str, values: Sequence[float], bound: float, *, at_most: bool) -> list[str]:
    if not values:
        return [text, "not measured", f"{'≤' if at_most else '≥'} {bound:g}", ""]
    value = statistics.median(values)
    met = value <= bound if at_most else value >= bound
    return [text, middle(values), f"{'≤' if at_most else '≥'} {bound:g}", "met" if met else "missed"]


def _machine(machine: Mapping[str, str]) -> str:
    return _markdown(["", ""], [[name, text] for name, text in machine.items()])


def soak(found: Mapping[str, Any]) -> str:
    """Write what soak.py found."""
    requests, streams = found["requests"], found["streams"]
    early, last = requests["mb"][len(requests["mb"]) // 10], requests["mb"][-1]
    rows = [
        [f"{requests['requests']:,} requests", f"{requests['failed']} failed, {number(requests['per_s'])}/s"],
        ["MB after a tenth of them, and at the end", f"{early:.0f}, {last:.0f} ({last / early - 1:+.1%})"],
        ["file descriptors then", f"{requests['fds'][len(requests['fds']) // 10]}, {requests['fds'][-1]}"],
        ["their exchanges recorded; dropped, counted and told; lost", _kept(requests)],
        [f"{streams['streams']:,} streams at once, {streams['seconds']:.0f} s", f"{streams['whole']:,} complete"],
        ["equal to the upstream's, byte for byte", f"{streams['equal']:,}"],
        [
            "their exchanges recorded; dropped, counted and told; lost",
            _kept(streams),
        ],
        ["MB before, at most, after", ", ".join(f"{mb:.0f}" for mb in streams["mb"])],
        ["file descriptors before, at most, after", ", ".join(map(str, streams["fds"]))],
    ]
    return _markdown(["", ""], rows)


def _kept(found: Mapping[str, Any]) -> str:
    dropped, told = sum(found["dropped"].values()), found["told_lost"]
    untold = "" if dropped == told else f" (the control plane was told of {told:,})"
    return f"{found['recorded']:,}; {dropped:,}{untold}; {found['unaccounted']:,}"


def isolation(found: Mapping[str, Any]) -> str:
    """Write what isolation.py found: the users' times with copies over those without, and the copies' account."""
    head = ["candidate", "p50 without copies, ms", "p50 with", "p99 without", "p99 with", "p99, with ÷ without"]
    head += ["nginx's mirror, p50 / p99", "requests = sent + dropped + not asked", "sent; reached the candidate"]
    rows = []
    for name, one in found.items():
        alone, copied = one["times"]["alone"], one["times"]["copied"]
        around = [statistics.fmean((alone[2 * at]["p99_ms"], alone[2 * at + 1]["p99_ms"])) for at in range(len(copied))]
        ratios = [with_copies["p99_ms"] / without for with_copies, without in zip(copied, around, strict=True)]
        cells = [_median(times, part) for part in ("p50_ms", "p99_ms") for times in (alone, copied)]
        rows.append([name, *cells, middle(ratios), _mirrored(one["times"].get("nginx")), *_account(one["copies"])])
    return _markdown(head, rows)


def _median(times: Sequence[Mapping[str, float]], part: str) -> str:
    return number(statistics.median(one[part] for one in times))


def _mirrored(times: Sequence[Mapping[str, float] | None] | None) -> str:
    """Write nginx's times, and the share of requests that were answered at all."""
    if times is None:
        return "not measured"
    answered = [one for one in times if one is not None]
    if not answered:
        return "no request was answered"
    share = sum(one["answered"] for one in answered) / len(times)
    told = f"{_median(answered, 'p50_ms')} / {_median(answered, 'p99_ms')}"
    return told if share > _FINE else f"{told}, {share:.0%} answered"


def _account(copies: Mapping[str, int]) -> list[str]:
    """Write the copies' sum, and whether it comes out."""
    dropped = copies.get("dropped_full", 0) + copies.get("dropped_unsendable", 0)
    parts = (copies.get("sent", 0), dropped, copies.get("charged_breaker_open", 0))
    sign = "=" if sum(parts) == copies["users"] else "≠"
    return [
        f"{copies['users']:,} {sign} {' + '.join(f'{part:,}' for part in parts)}",
        f"{copies.get('sent', 0):,}; {copies['reached']:,}",
    ]


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])


def put(name: str, text: str) -> None:
    """Replace what stands on the page between the marks of this name.

    Raises:
        ValueError: the page has no such marks.
    """
    page = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"{PAGE.name} has no place for {name}: expected <!-- {name} --> and <!-- /{name} -->")
    PAGE.write_text(pattern.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page), encoding="utf-8")
