"""`gatekeeper judge`: a language model's opinion of answers, and how far to believe it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.cli._sheet import SheetFormat

app = typer.Typer(
    no_args_is_help=True, help="Let a language model grade answers or compare them, and hold it against people."
)

Exchanges = Annotated[Path, typer.Argument(help="Exchanges, a JSON object a line; .gz too.")]
Endpoint = Annotated[str, typer.Option("--endpoint", help="URL of any OpenAI-compatible server.")]
Model = Annotated[str, typer.Option(help="Model name.  [default: the first that it serves]")]
KeyEnv = Annotated[str, typer.Option(help="Environment variable that holds the endpoint's API key.")]
Criteria = Annotated[
    Path | None, typer.Option("--rubric", help="YAML file: criteria, low, high, passes.  [default: a plain one]")
]
Cache = Annotated[Path, typer.Option(help="File in which opinions are kept: nothing is asked twice.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Questions in flight.")]
Timeout = Annotated[float, typer.Option(min=0.1, help="Longest silence of the endpoint, in seconds.")]
MaxRequests = Annotated[int | None, typer.Option(min=1, help="Send no more requests than these.")]
MaxTokens = Annotated[int | None, typer.Option(min=1, help="Use no more tokens than these, prompts and replies.")]
MaxUsd = Annotated[float | None, typer.Option(min=0, help="Spend no more US dollars; needs the prices.")]
PromptPrice = Annotated[float, typer.Option(min=0, help="US dollars per million prompt tokens.")]
ReplyPrice = Annotated[float, typer.Option(min=0, help="US dollars per million tokens of replies.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write samples here instead of stdout.")]

KEPT = Path("judge-opinions.jsonl")


@app.command()
def grade(
    exchanges: Exchanges,
    *,
    endpoint: Endpoint,
    model: Model = "",
    api_key_env: KeyEnv = "",
    rubric: Criteria = None,
    cache: Cache = KEPT,
    concurrency: Concurrency = 8,
    timeout_s: Timeout = 60.0,
    max_requests: MaxRequests = None,
    max_tokens: MaxTokens = None,
    max_usd: MaxUsd = None,
    prompt_usd: PromptPrice = 0.0,
    reply_usd: ReplyPrice = 0.0,
    output: Output = None,
) -> int:
    """Score exchanges as `score` does, with the judge's grade of each answer as `extra.judge_score`, 0 to 1."""
    from gatekeeper.cli._judge import Costs, Wanted, judged_samples  # noqa: PLC0415 - needed only when run
    from gatekeeper.flow.judge_samples import graded  # noqa: PLC0415 - as above

    costs = Costs(max_requests, max_tokens, max_usd, prompt_usd, reply_usd)
    wanted = Wanted(endpoint, model, api_key_env, rubric, cache, concurrency, timeout_s, costs)
    return judged_samples(exchanges, wanted, graded, output)


@app.command()
def compare(
    exchanges: Exchanges,
    *,
    endpoint: Endpoint,
    model: Model = "",
    api_key_env: KeyEnv = "",
    rubric: Criteria = None,
    cache: Cache = KEPT,
    concurrency: Concurrency = 8,
    timeout_s: Timeout = 60.0,
    max_requests: MaxRequests = None,
    max_tokens: MaxTokens = None,
    max_usd: MaxUsd = None,
    prompt_usd: PromptPrice = 0.0,
    reply_usd: ReplyPrice = 0.0,
    output: Output = None,
) -> int:
    """Score exchanges as `score` does, with the judge's preference in each pair as `extra.judge_win`.

    Each pair is asked in both orders; where the judge contradicts itself it is a tie.
    """
    from gatekeeper.cli._judge import Costs, Wanted, judged_samples  # noqa: PLC0415 - needed only when run
    from gatekeeper.flow.judge_samples import preferred  # noqa: PLC0415 - as above

    costs = Costs(max_requests, max_tokens, max_usd, prompt_usd, reply_usd)
    wanted = Wanted(endpoint, model, api_key_env, rubric, cache, concurrency, timeout_s, costs)
    return judged_samples(exchanges, wanted, preferred, output)


@app.command()
def calibrate(
    labelled: Annotated[Path, typer.Argument(help="What people said, a JSON object a line.")],
    *,
    endpoint: Endpoint,
    model: Model = "",
    api_key_env: KeyEnv = "",
    rubric: Criteria = None,
    cache: Cache = KEPT,
    concurrency: Concurrency = 8,
    timeout_s: Timeout = 60.0,
    max_requests: MaxRequests = None,
    max_tokens: MaxTokens = None,
    max_usd: MaxUsd = None,
    prompt_usd: PromptPrice = 0.0,
    reply_usd: ReplyPrice = 0.0,
    format: Annotated[SheetFormat, typer.Option(help="Form of the result on stdout.")] = SheetFormat.TEXT,  # noqa: A002 - the option's name
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the result here too.")] = None,
) -> int:
    """Hold the judge against people: agreement, and what the answers' order and length do to it.

    Exit codes: 0 done, whatever was found; 2 usage or bad input; 4 the judge is out of order.
    """
    from gatekeeper.cli._console import emit  # noqa: PLC0415 - as above
    from gatekeeper.cli._judge import Costs, Wanted, asked  # noqa: PLC0415 - needed only when run
    from gatekeeper.cli._judge_sheet import render  # noqa: PLC0415 - as above
    from gatekeeper.flow.judge_calibrate import calibrate as against_people  # noqa: PLC0415 - as above
    from gatekeeper.flow.judge_calibrate import read_labelled  # noqa: PLC0415 - as above

    costs = Costs(max_requests, max_tokens, max_usd, prompt_usd, reply_usd)
    wanted = Wanted(endpoint, model, api_key_env, rubric, cache, concurrency, timeout_s, costs)
    known = read_labelled(labelled, wanted.criteria)
    total = len(known) * len(known[0].answers)
    found = asked(wanted, total, lambda judging: against_people(known, wanted.criteria, judging))
    emit(render(found, str(labelled), format), output=output)
    return 0
