"""A pytest plugin: release gates as tests, with the fixtures `gatekeeper` and `gatekeeper_report`.

A regression fails its test, an inconclusive verdict skips it (`--gatekeeper-on-inconclusive` says otherwise), and an
outage or a faulty policy is an error of the fixture, which is neither.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatekeeper.model.finding import Report
    from gatekeeper.model.gate import GateReport

_OPTIONS = {
    "policy": "Policy file: what the candidate must hold.",
    "evalset": "Evalset folder; by default that of the policy's gate stage.",
    "baseline": "URL of what serves users now, or ENGINE:MODEL to start one.",
    "candidate": "URL of the release under test, or ENGINE:MODEL to start one.",
    "against": "Record of the baseline's answers, where it is out of reach.",
}
_ON_INCONCLUSIVE = ("skip", "fail", "pass")


class Gatekeeper:
    """Judge releases within tests, by the policy of the command line unless a test names its own.

    options: the values of the `--gatekeeper-` options, "" where one is not given.
    """

    def __init__(self, options: Mapping[str, str], *, on_inconclusive: str = "skip") -> None:
        """Keep the options."""
        self.options = dict(options)
        self._on_inconclusive = on_inconclusive

    def analyze(self, samples: Any, policy: Any = None, look_every: int | None = None) -> Report:  # noqa: ANN401 - as `gatekeeper.analyze` takes
        """Judge recorded samples, as `gatekeeper.analyze` does.

        Raises:
            InputError: samples or policy have faults, or no policy is named.
        """
        from gatekeeper.flow.analyze import analyze  # noqa: PLC0415 - pytest loads this file always, scipy only here

        return analyze(samples, policy if policy is not None else self._policy(), look_every)

    def gate(self, **changes: str) -> GateReport:
        """Ask both arms the evalset and judge, as `gatekeeper gate` does.

        changes: options that differ from the command line's, such as `candidate=...`.

        Raises:
            InputError: policy, evalset or options have faults.
            EngineError: an endpoint is out of order, which says nothing about the release.
        """
        from gatekeeper.cli._gate_arms import Wanted  # noqa: PLC0415 - as above
        from gatekeeper.cli._gate_run import GateOptions, run_gate  # noqa: PLC0415 - as above
        from gatekeeper.errors import InputError, UnknownNameError  # noqa: PLC0415 - as above

        unknown = next((name for name in changes if name not in _OPTIONS), None)
        if unknown is not None:
            raise UnknownNameError("option", unknown, tuple(_OPTIONS))
        named = {**self.options, **changes}
        if not named["candidate"]:
            raise InputError("no candidate is named; give one with --gatekeeper-candidate, or as candidate=")
        options = GateOptions(
            policy=Path(named["policy"] or self._policy()),
            evalset=Path(named["evalset"]) if named["evalset"] else None,
            baseline=Wanted(named["baseline"]) if named["baseline"] else None,
            candidate=Wanted(named["candidate"]),
            against=Path(named["against"]) if named["against"] else None,
        )
        report = run_gate(options)
        assert report is not None, "a candidate was named"  # noqa: S101 - only a run without one has no report
        return report

    def check(self, report: Report) -> None:
        """Pass for promote, fail for rollback, skip for hold, each with the report's words."""
        from gatekeeper.cli._render import ReportFormat, render  # noqa: PLC0415 - as above
        from gatekeeper.model.finding import VerdictKind  # noqa: PLC0415 - as above

        if report.verdict is VerdictKind.PROMOTE:
            return
        words = render(report, ReportFormat.TEXT)
        if report.verdict is VerdictKind.ROLLBACK or self._on_inconclusive == "fail":
            pytest.fail(words, pytrace=False)
        if self._on_inconclusive == "skip":
            pytest.skip(words.splitlines()[0])

    def _policy(self) -> str:
        from gatekeeper.errors import InputError  # noqa: PLC0415 - as above

        if not self.options["policy"]:
            raise InputError("no policy is named; give one with --gatekeeper-policy, or as policy=")
        return self.options["policy"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, all of which begin with `--gatekeeper-`."""
    group = parser.getgroup("gatekeeper", "release gates for LLM serving")
    for name, text in _OPTIONS.items():
        group.addoption(f"--gatekeeper-{name}", default="", metavar=name.upper(), help=text)
    group.addoption(
        "--gatekeeper-on-inconclusive",
        choices=_ON_INCONCLUSIVE,
        default="skip",
        help="What an inconclusive verdict is to a test; default: skip.",
    )


@pytest.fixture(scope="session")
def gatekeeper(pytestconfig: pytest.Config) -> Gatekeeper:
    """Give a judge of releases, set up by the command line."""
    options = {name: str(pytestconfig.getoption(f"--gatekeeper-{name}")) for name in _OPTIONS}
    return Gatekeeper(options, on_inconclusive=str(pytestconfig.getoption("--gatekeeper-on-inconclusive")))


@pytest.fixture(scope="session")
def gatekeeper_report(gatekeeper: Gatekeeper) -> GateReport:
    """Give the report of one gate by the command line's options, run once for all tests."""
    return gatekeeper.gate()
