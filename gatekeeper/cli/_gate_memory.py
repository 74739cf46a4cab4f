"""What a gate has from before: the answers of a run that broke off, of the baseline's last run, or of a record."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gatekeeper.adapters.answers import DONE, OUTAGE, Journal, read_record
from gatekeeper.cli._console import note
from gatekeeper.errors import InputError
from gatekeeper.flow._calibrate_words import duration
from gatekeeper.flow.gate import Past, judges_time, unanswered
from gatekeeper.model.arm import Arm
from gatekeeper.model.evalset import Evalset
from gatekeeper.model.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from gatekeeper.cli._gate_identity import Identity
    from gatekeeper.model.answer import Answer, AnswerKey

RESUME_S = 6 * 3600.0
"""How old an unfinished run may be, where nobody can tell whether the same release still answers."""


class BaselineCache(StrEnum):
    """Say what becomes of a baseline's answers that were kept."""

    USE = "use"
    REFRESH = "refresh"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Hold what is asked by which rules.

    now: unix seconds at the start. side_by_side: both arms must be asked in this run, for more than the policy says.
    """

    policy: Policy
    evalset: Evalset
    repeats: int
    now: float
    side_by_side: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """Say what may be remembered: resume an unfinished run, and a baseline's answers up to an age in seconds."""

    resume: bool = True
    cache: BaselineCache = BaselineCache.USE
    max_age_s: float = 7 * 86400.0


class Memory:
    """Keep the answers of both arms; use as `with`.

    known: answers that need not be asked for. past: words and figures about them, for the report.
    """

    def __init__(self, task: Task, habits: Habits) -> None:
        """Know nothing yet."""
        self.known: dict[AnswerKey, Answer] = {}
        self.past = Past()
        self._task, self._habits = task, habits
        self._journals: dict[Arm, Journal] = {}
        self._kept: dict[Arm, bool] = {}
        self._failed: set[Arm] = set()
        self._stack = ExitStack()

    def open(self, folder: Path, identities: Mapping[Arm, Identity]) -> None:
        """Open the journal of each arm that is not recorded, and take from it what may be taken."""
        resumed: list[Answer] = []
        for arm, identity in identities.items():
            name = f"{self._task.evalset.digest[:16]}-{arm}-{identity.digest[:16]}.jsonl"
            journal = self._stack.enter_context(Journal(folder / name))
            if not journal.held:
                note(f"{journal.path} is in use by another run: this one cannot be resumed")
                continue
            self._journals[arm] = journal
            self._kept[arm] = arm is Arm.BASELINE and bool(identity.release) and self._habits.cache != BaselineCache.OFF
            if journal.kept.done and (refusal := self._why_not(journal)):
                note(f"asking the baseline anew: {refusal}")
                journal.restart()
            elif journal.kept.done:
                self._take(journal.kept.answers)
                self._recorded(journal.kept.answers, identity.release)
            elif self._may_resume(journal, identity):
                resumed += journal.kept.answers
            else:
                journal.restart()
        self._take(resumed)
        total = len(self._task.evalset.samples) * self._task.repeats
        finished = sum(total - self.missing(arm) for arm in {answer.exchange.arm for answer in resumed})
        if finished:
            age_s = self._age_s(resumed)
            self.past = Past(source=self.past.source, age_s=self.past.age_s, resumed=finished, resumed_age_s=age_s)
            note(f"going on with a run that broke off {duration(age_s)} ago: {finished:,} requests were finished")

    def record(self, path: Path) -> None:
        """Take the baseline's answers from a record.

        Raises:
            InputError: it was made on another evalset, or answers are missing.
        """
        answers = read_record(path)
        arms = {answer.exchange.arm for answer in answers}
        wanted = Arm.BASELINE if Arm.BASELINE in arms or len(arms) != 1 else next(iter(arms))
        found = [answer for answer in answers if answer.exchange.arm is wanted]
        known = {(Arm.BASELINE, answer.sample, answer.repeat): answer for answer in found}
        task = self._task
        other = {answer.evalset for answer in found} - {task.evalset.digest}
        if other:
            raise InputError(
                f"{path}: recorded on an evalset with digest {min(other)[:12]}, expected {task.evalset.digest[:12]} "
                f"({task.evalset.name}): other prompts are not comparable; record the baseline on this one"
            )
        if missing := unanswered(task.evalset, task.repeats, Arm.BASELINE, known):
            total = len(task.evalset.samples) * task.repeats
            raise InputError(
                f"{path}: {missing:,} of {total:,} requests have no answer there, or were asked with other parameters; "
                "record the baseline again, with the same --repeats"
            )
        self.known |= known
        self._recorded(found, str(path))

    def missing(self, arm: Arm) -> int:
        """Return how many requests of an arm have no answer yet."""
        return unanswered(self._task.evalset, self._task.repeats, arm, self.known)

    def add(self, answer: Answer) -> None:
        """Keep a fresh answer."""
        arm = answer.exchange.arm
        if answer.exchange.error is not None:
            self._failed.add(arm)
        if journal := self._journals.get(arm):
            journal.add(answer)

    def finish(self) -> None:
        """Keep the baseline's answers where it is known whose they are, and none failed; the rest has served."""
        for arm, journal in self._journals.items():
            if not self._kept[arm] or arm in self._failed:
                journal.forget()
            elif not journal.kept.done:
                journal.mark(DONE)

    def give_up(self) -> None:
        """Note that the run ended because an endpoint was out of order: what failed is to be asked again."""
        for journal in self._journals.values():
            journal.mark(OUTAGE)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the journals."""
        self._stack.close()

    def _why_not(self, journal: Journal) -> str:
        """Say why kept answers are not used; "" when they are."""
        answers, habits, task = journal.kept.answers, self._habits, self._task
        age_s = self._age_s(answers)
        known = {answer.key: answer for answer in answers}
        if habits.cache is not BaselineCache.USE:
            return f"--baseline-cache {habits.cache}"
        if age_s > habits.max_age_s:
            return f"its answers are {duration(age_s)} old, --baseline-max-age-h allows {duration(habits.max_age_s)}"
        if unanswered(task.evalset, task.repeats, Arm.BASELINE, known):
            return "its answers were asked for with other parameters, or fewer times"
        if judges_time(task.policy) or task.side_by_side:
            return "times are compared, which must be measured side by side"
        return ""

    def _may_resume(self, journal: Journal, identity: Identity) -> bool:
        most_s = self._habits.max_age_s if identity.release else RESUME_S
        answers = journal.kept.answers
        return bool(self._habits.resume and answers) and self._age_s(answers) <= most_s

    def _take(self, answers: Sequence[Answer]) -> None:
        self._failed |= {answer.exchange.arm for answer in answers if answer.exchange.error is not None}
        self.known |= {answer.key: answer for answer in answers}

    def _recorded(self, answers: Sequence[Answer], source: str) -> None:
        age_s = self._age_s(answers)
        self.past = Past(source=source, age_s=age_s)
        note(f"baseline: {len(answers):,} answers from {duration(age_s)} ago ({source})")

    def _age_s(self, answers: Sequence[Answer]) -> float:
        return max(0.0, self._task.now - min(answer.exchange.ts for answer in answers))
