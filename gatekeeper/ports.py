"""The outside world on one page: what the flows ask of the store, of traffic, of engines and of the clock.

Every port has an in-memory adapter in `adapters/memory.py` and real ones beside it. A `Unit` is one transaction:
`with unit: ...` commits at the end, rolls back when the block raises. Times are unix seconds of the store's clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType
    from typing import Self

    from gatekeeper.captures.raw import RawExchange
    from gatekeeper.model.action import Job, OutboxItem
    from gatekeeper.model.arm import Arm
    from gatekeeper.model.audit import AuditEntry
    from gatekeeper.model.evalset import Evalset
    from gatekeeper.model.exchange import Exchange, Place
    from gatekeeper.model.judging import Opinion, Said
    from gatekeeper.model.key import ApiKey, Webhook
    from gatekeeper.model.metric import Score
    from gatekeeper.model.release import Deployment, Release, Service
    from gatekeeper.model.reply import Reply
    from gatekeeper.model.rollout import Rollout
    from gatekeeper.model.sample import Sample
    from gatekeeper.model.split import Split
    from gatekeeper.model.trial import Trial


class Clock(Protocol):
    """Tell the time; handed in, so that tests own it."""

    def now(self) -> float:
        """Return unix seconds."""


class Rollouts(Protocol):
    """Keep rollouts; a save is a compare-and-swap that also writes the audit entry and the outbox."""

    def add(self, rollout: Rollout, entry: AuditEntry) -> None:
        """Insert a rollout with its first audit entry (version 0); ConflictError when its service has one running."""

    def get(self, rollout_id: str, *, lock: bool = False) -> Rollout:
        """Return a rollout; raises NotFoundError. lock: hold its row until the unit ends (SELECT ... FOR UPDATE)."""

    def list(self, *, running: bool = False) -> Sequence[Rollout]:
        """Return rollouts, newest first; only those still running when asked."""

    def unfinished(self) -> Sequence[Rollout]:
        """Return those with something left to do, oldest first; what it costs does not grow with those that ended."""

    def save(self, rollout: Rollout, entry: AuditEntry | None = None, outbox: Sequence[OutboxItem] = ()) -> None:
        """Write `rollout`, which was read at `rollout.version - 1` when `entry` is given (a transition).

        Without an entry (a bookkeeping write: split seen, stage started) the version does not change and must still
        be the stored one. Raises ConflictError when the row has moved on.
        """


class Audit(Protocol):
    """Read a rollout's chain; entries are written by `Rollouts`, which fills in `previous` and `hash`."""

    def entries(self, rollout_id: str) -> Sequence[AuditEntry]:
        """Return all entries in order of version."""


class Catalog(Protocol):
    """Keep services, releases, deployments and policies by name (put is an upsert)."""

    def put(self, noun: Service | Release | Deployment) -> None:
        """Store a noun under its own id (a release under its digest; a differing body under one digest cannot be)."""

    def service(self, name: str) -> Service:
        """Return a service; raises NotFoundError naming those that exist."""

    def deployment(self, deployment_id: str) -> Deployment:
        """Return a deployment; raises NotFoundError."""

    def all(self, kind: str) -> Sequence[dict[str, Any]]:
        """Return every `service`, `release` or `deployment` as JSON values."""


class Exchanges(Protocol):
    """Keep what gateways recorded; (id) is unique, so that a batch sent twice is stored once."""

    def add(self, exchanges: Sequence[Exchange]) -> Sequence[int]:
        """Store those not yet known, in order; return the row numbers of the new ones."""

    def get(self, rows: Sequence[int]) -> Sequence[Exchange]:
        """Return the exchanges of these row numbers, in that order."""

    def pairs(self, rollout_id: str, limit: int) -> Sequence[dict[str, Any]]:
        """Return mirrored pairs as {pair_id, stage, differs, baseline, candidate}, most telling first, then newest.

        differs: the fields of error, refused, json_valid, task_success in which the arms differ. Each arm is its
        exchange's JSON (request, response, error, timing, ...) with its `sample` and `labels`.
        """


class Samples(Protocol):
    """Keep scored exchanges until they are folded into tallies, and after for reading."""

    def add(self, rows: Sequence[tuple[int, Exchange, Sample, dict[str, Any]]]) -> None:
        """Store (exchange row, exchange, sample, labels); one already stored for that exchange row is left as it is."""

    def unfolded(self, rollout_id: str, stage: int, epoch: int, limit: int) -> Sequence[tuple[int, Sample]]:
        """Return (row, sample) not yet folded, in the order in which they were stored."""

    def mark_folded(self, rows: Sequence[int], *, dropped: bool = False) -> None:
        """Mark rows as folded, or as left out (an unpaired half); never folded again."""

    def extent(self, rollout_id: str, stage: int | None = None) -> tuple[int, int] | None:
        """Return the first and the last row of a stage's samples, or of all stages'; None where there are none."""

    def page(
        self, rollout_id: str, stage: int | None, first: int, last: int, limit: int
    ) -> Sequence[tuple[int, int, Sample]]:
        """Return (row, stage, sample), folded or not, of the rows from `first` to `last`, lowest first.

        stage None: of all stages. At most `limit` are returned; a page that is not full is the last.
        """

    def counts(self, rollout_id: str) -> dict[str, Any]:
        """Return {"stages": {stage: {arm: {"stored", "folded", "dropped"}}}, "unscored": int}; stage is an int."""


class Tallies(Protocol):
    """Keep a stage's mergeable evidence, and its reports over the looks."""

    def get(self, rollout_id: str, stage: int, epoch: int) -> dict[str, Any] | None:
        """Return the evidence's JSON; None before the first fold."""

    def put(self, rollout_id: str, stage: int, epoch: int, body: dict[str, Any]) -> None:
        """Replace the evidence's JSON."""

    def put_report(self, rollout_id: str, stage: int, epoch: int, look: int, ts: float, body: dict[str, Any]) -> None:
        """Keep a look's report, for the picture over time."""

    def reports(self, rollout_id: str, stage: int | None = None, limit: int = 200) -> Sequence[dict[str, Any]]:
        """Return reports, newest first: {stage, epoch, look, ts, report}."""


class Jobs(Protocol):
    """Keep work: pending, leased, done, dead. `attempt` fences a lost lease's result out."""

    def add(self, kind: str, payload: dict[str, Any]) -> int:
        """Insert a pending job; return its id."""

    def claim(self, job_id: int, lease_s: float) -> Job | None:
        """Lease a pending (or expired) job and count the attempt; None when it is done, dead or leased."""

    def finish(self, job: Job, error: str | None = None) -> bool:
        """Mark done, or with an error back to pending (dead after the last attempt); False when the lease was lost."""

    def due(self, limit: int) -> Sequence[Job]:
        """Return jobs that wait or whose lease ran out, oldest first, SKIP LOCKED where the database has it.

        Each is returned again only after 10 s, so that a sweep does not announce what it has just announced.
        """

    def counts(self) -> dict[str, int]:
        """Return the number of jobs by state: pending, leased, done, dead."""


class Outbox(Protocol):
    """Keep effects owed to the world, each once by its key."""

    def add(self, items: Sequence[OutboxItem]) -> None:
        """Insert items whose key is new."""

    def due(self, limit: int) -> Sequence[OutboxItem]:
        """Return items to be tried now, oldest first; they are leased for 60 s."""

    def done(self, item_id: int) -> None:
        """Mark delivered."""

    def retry(self, item_id: int, next_at: float | None, error: str) -> None:
        """Keep for another try at `next_at`; None: dead, kept for replay by hand."""

    def counts(self) -> dict[str, int]:
        """Return the number of items by state: pending, done, dead."""


class Splits(Protocol):
    """Publish splits to gateways and keep what each gateway says it applies."""

    def put(self, split: Split) -> bool:
        """Publish a split that supersedes the stored one of its service; False (nothing written) when it does not."""

    def all(self) -> Sequence[Split]:
        """Return the split of each service."""

    def report_seen(self, gateway_id: str, orders: dict[str, tuple[int, int]]) -> None:
        """Record the (epoch, version) a gateway applies by service, and that it is alive now."""

    def seen(self, service: str, fresh_s: float) -> tuple[int, int] | None:
        """Return the smallest (epoch, version) over gateways heard from within `fresh_s`; None when none was.

        A gateway that reports no split of the service counts as (0, 0): it applies nothing of it.
        """


class Keys(Protocol):
    """Keep API keys by digest."""

    def add(self, key: ApiKey) -> None:
        """Insert a key."""

    def by_digest(self, digest: str) -> ApiKey | None:
        """Return the key that is not revoked, or None."""

    def list(self) -> Sequence[ApiKey]:
        """Return all keys, newest first."""

    def revoke(self, key_id: str) -> None:
        """Revoke a key now; raises NotFoundError."""


class Webhooks(Protocol):
    """Keep outbound webhooks, and the ids of inbound ones."""

    def put(self, webhook: Webhook) -> None:
        """Insert or replace."""

    def list(self) -> Sequence[Webhook]:
        """Return all outbound webhooks."""

    def delete(self, webhook_id: str) -> None:
        """Remove one; raises NotFoundError."""

    def remember(self, source: str, event_id: str, body: dict[str, Any]) -> bool:
        """Note an inbound event in this transaction; False when it was known already."""


class Trials(Protocol):
    """Keep the gates that the server runs."""

    def put(self, trial: Trial) -> None:
        """Store a trial under its id, in place of what stood there."""

    def get(self, trial_id: str, *, lock: bool = False) -> Trial:
        """Return a trial; raises NotFoundError. lock: hold its row until the unit ends (SELECT ... FOR UPDATE)."""

    def list(self, *, running: bool = False, limit: int | None = None) -> Sequence[Trial]:
        """Return trials, newest first; only those still running when asked."""


class Unit(Protocol):
    """Be one transaction over the store. Entering begins it; leaving commits, or rolls back on an exception."""

    rollouts: Rollouts
    trials: Trials
    audit: Audit
    catalog: Catalog
    exchanges: Exchanges
    samples: Samples
    tallies: Tallies
    jobs: Jobs
    outbox: Outbox
    splits: Splits
    keys: Keys
    webhooks: Webhooks
    clock: Clock

    def __enter__(self) -> Self:
        """Begin (SQLite: BEGIN IMMEDIATE)."""

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit, or roll back when an exception passes through."""


class Actuator(Protocol):
    """Move traffic. The same write twice leaves the same world; `read` says what the world shows."""

    def write(self, split: Split) -> None:
        """Ask the world for this split."""

    def read(self, service: str) -> tuple[int, int] | None:
        """Return the (epoch, version) the world shows; None: cannot tell."""


class Spool(Protocol):
    """Carry captures from a gateway to the store; never called on the request's path.

    failure: why it cannot keep captures just now, "" while it can.
    """

    failure: str

    def put(self, batch: Sequence[RawExchange]) -> None:
        """Take captures; what had to be dropped is counted. Never raises. An empty batch gives time for notices."""

    def put_frames(self, frames: Sequence[bytes]) -> None:
        """Take captures as `captures.frames` writes them, one each. See `put`."""

    def lose(self, place: Place) -> None:
        """Note that an exchange was lost before it came here, so that its stage is not judged as if it were whole."""

    def counts(self) -> dict[str, int]:
        """Return {"accepted", "written", "dropped"} since the start."""


class Carrier(Protocol):
    """Carry what was spooled to the control plane. failure: why it cannot just now, "" while it can."""

    failure: str

    def counts(self) -> dict[str, int]:
        """Return how many exchanges were carried and refused since the start, by name."""


class Evalsets(Protocol):
    """Keep the evalsets that a rollout's gate may ask."""

    def names(self) -> Sequence[str]:
        """List those there are."""

    def read(self, name: str) -> Evalset:
        """Return a checked evalset.

        Raises:
            InputError: there is none of this name, or its files have faults.
        """


class Chat(Protocol):
    """Be one model that answers."""

    async def ask(self, body: dict[str, Any]) -> Reply:
        """Return the reply to a chat-completions body; what goes wrong is in it."""


class Endpoints(Protocol):
    """Reach deployments."""

    def __call__(self, deployment: Deployment, arm: Arm) -> AbstractAsyncContextManager[Chat]:
        """Return a deployment's model, to be used within the context."""


class Waker(Protocol):
    """Wake workers up; losing a call loses no work, the sweeper finds the row."""

    def wake(self, jobs: Iterable[Job]) -> None:
        """Tell workers that these jobs wait."""


class Scorers(Protocol):
    """Score exchanges by what users brought themselves."""

    def score(self, exchange: Exchange) -> Mapping[str, Score]:
        """Return each own scorer's value by its name; None with a reason where it has none. Never hangs."""


class Grader(Protocol):
    """Ask a language model for an opinion."""

    name: str

    async def ask(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> Said:
        """Return what it says to chat messages, wanted in a JSON Schema's shape; never raises for a failure."""


class Opinions(Protocol):
    """Keep opinions, so that nothing is paid for twice."""

    def get(self, digest: str) -> Opinion | None:
        """Return the opinion kept under a digest."""

    def put(self, digest: str, opinion: Opinion) -> None:
        """Keep an opinion."""


class Alerts(Protocol):
    """Deliver one outbox item to the outside."""

    def send(self, item: OutboxItem) -> float | None:
        """Deliver; None when it arrived, else seconds the receiver asks to wait (0: the usual schedule).

        Raises:
            WorldError: it did not arrive; try again by the schedule.
        """
