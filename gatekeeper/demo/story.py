"""The demo's story: serve a baseline, try one release after the other, and see each end as it must."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live

from gatekeeper.client import Client
from gatekeeper.demo.acts import Act, Ending, acts, failing_metrics
from gatekeeper.demo.engines import MODEL, Crew
from gatekeeper.demo.models import ensure
from gatekeeper.demo.screen import SIMULATED, Scene, panel
from gatekeeper.demo.traffic import Traffic
from gatekeeper.errors import WorldError

if TYPE_CHECKING:
    from gatekeeper.demo.engines import Server

SERVICE = "assistant"
POLICY = Path(__file__).with_name("policy.yaml")
USERS, REST_S, SEED = 6, 0.05, 20
LOOK_S = 0.5
ACT_LIMIT_S = 400.0
SETTLE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Hold what the story plays on: a client of the API, where users and reviewers go, and where to write.

    ui_url: None when no review page runs.
    """

    client: Client
    gateway_url: str
    ui_url: str | None
    console: Console
    log_dir: Path
    cache_dir: Path
    engine: str
    every: bool


class Story:
    """Play the acts."""

    def __init__(self, stage: Stage) -> None:
        """Prepare; nothing is started before `play`, which leaves each act's last scene in `scenes`."""
        self._stage = stage
        self._acts = acts(every=stage.every)
        self._simulated = stage.engine == "sim"
        self._serving = "baseline"
        self.scenes: list[Scene] = []

    def play(self) -> list[Ending]:
        """Play all acts and return how each ended.

        Raises:
            EngineError: a server did not start; its last lines say why.
            WorldError: an act did not end in time.
        """
        stage = self._stage
        names = ("baseline", *(act.name for act in self._acts))
        models = {} if self._simulated else self._train(names)
        if self._simulated:
            stage.console.print(f"[bold yellow]{SIMULATED}")
        crew = Crew(stage.engine, models, stage.log_dir)
        try:
            return self._play(crew)
        finally:
            crew.close()

    def _play(self, crew: Crew) -> list[Ending]:
        first, second = crew.start("baseline"), crew.start(self._acts[0].name)
        self._say(f"starting the baseline and {self._acts[0].name!r}: about 20 s each on real vLLM")
        first.ready()
        self._deploy("baseline", first)
        traffic = Traffic(self._stage.gateway_url, SERVICE, seed=SEED, users=USERS, rest_s=REST_S)
        self._wait_for_gateway()
        traffic.start()
        try:
            endings = []
            for number, act in enumerate(self._acts, start=1):
                server = second if number == 1 else crew.start(act.name)
                endings.append(self._try(act, number, server, traffic))
                self._after(endings[-1], crew)
            return endings
        finally:
            traffic.stop()
            counts = traffic.counts
            self._say(f"users sent {counts.sent} requests: {counts.answered} answered, {counts.failed} failed")

    def _try(self, act: Act, number: int, server: Server, traffic: Traffic) -> Ending:
        scene = Scene(act=act, number=number, of=len(self._acts), simulated=self._simulated)
        scene.doing = "the candidate's server starts; users go on with the baseline"
        self.scenes.append(scene)
        with Live(console=self._stage.console, refresh_per_second=4, transient=True) as live:
            live.update(panel(scene))
            server.ready()
            deployment = self._deploy(act.name, server)
            rollout = self._stage.client.create_rollout(
                service=SERVICE,
                policy=POLICY.read_text(encoding="utf-8"),
                policy_file=POLICY.name,
                candidate=deployment,
            )
            started = time.monotonic()
            answered, shown = traffic.counts.answered, ""
            while rollout["state"] == "running":
                if time.monotonic() - started > ACT_LIMIT_S:
                    raise WorldError(
                        f"rollout {rollout['id']} did not end in {ACT_LIMIT_S:.0f} s: {rollout['sentence']}"
                    )
                time.sleep(LOOK_S)
                rollout = self._stage.client.rollout(rollout["id"])
                now_answered = traffic.counts.answered
                scene.rate, answered = (now_answered - answered) / LOOK_S, now_answered
                shown = self._show(scene, rollout, shown)
                live.update(panel(scene))
        ending = self._ending(act, rollout, time.monotonic() - started)
        mark = "[green]right" if ending.right else "[bold red]WRONG"
        self._say(f"{act.name}: {rollout['sentence']} [{ending.took_s:.0f} s, {ending.samples} samples] {mark}")
        return ending

    def _show(self, scene: Scene, rollout: dict[str, Any], shown: str) -> str:
        split = rollout["split_wanted"]
        scene.doing = ""
        scene.steps = [(_step(stage), stage["state"]) for stage in rollout["stages"]]
        scene.shares = f"candidate {split['candidate_bp'] / 100:g} %, mirrored {split['mirror_bp'] / 100:g} %"
        scene.samples = _samples(rollout)
        scene.sentence = rollout["sentence"]
        if rollout["report"]:
            scene.findings = rollout["report"]["findings"]
        at = f"{rollout['stage']}"
        if at != shown and not self._stage.console.is_terminal:
            self._say(f"{scene.act.name}: stage {rollout['stage'] + 1} of {len(scene.steps)}, {scene.shares}")
        return at

    def _ending(self, act: Act, rollout: dict[str, Any], took_s: float) -> Ending:
        page = self._stage.ui_url
        link = f"{page}/review?rollout={rollout['id']}" if page else f"gatekeeper rollout show {rollout['id']}"
        return Ending(
            act=act,
            rollout_id=rollout["id"],
            state=rollout["state"],
            reason=rollout["reason"],
            metrics=failing_metrics(rollout["report"]) if rollout["state"] == "rolled_back" else (),
            took_s=took_s,
            samples=_samples(rollout),
            link=link,
        )

    def _after(self, ending: Ending, crew: Crew) -> None:
        self._settle(ending.rollout_id)
        if ending.state == "promoted":
            crew.stop(self._serving)
            self._serving = ending.act.name
        else:
            crew.stop(ending.act.name)

    def _settle(self, rollout_id: str) -> None:
        until = time.monotonic() + SETTLE_S
        while not self._stage.client.rollout(rollout_id)["settled"]:
            if time.monotonic() > until:
                raise WorldError(f"the gateway did not follow the end of rollout {rollout_id} in {SETTLE_S:.0f} s")
            time.sleep(LOOK_S / 5)
        time.sleep(LOOK_S)

    def _deploy(self, name: str, server: Server) -> str:
        deployment = self._stage.client.create_deployment(
            service=SERVICE, url=server.url, model=MODEL, engine=self._stage.engine, release={"model": name}
        )
        return deployment.id

    def _wait_for_gateway(self) -> None:
        import httpx  # noqa: PLC0415

        until = time.monotonic() + SETTLE_S
        while httpx.get(f"{self._stage.gateway_url}/readyz", trust_env=False).status_code != httpx.codes.OK:
            if time.monotonic() > until:
                raise WorldError(f"the gateway at {self._stage.gateway_url} knows no service after {SETTLE_S:.0f} s")
            time.sleep(LOOK_S / 5)

    def _train(self, names: tuple[str, ...]) -> dict[str, Path]:
        from rich.progress import Progress  # noqa: PLC0415

        with Progress(console=self._stage.console, transient=True) as bar:
            tasks: dict[str, Any] = {}

            def progress(name: str, done: float) -> None:
                if name not in tasks:
                    tasks[name] = bar.add_task(f"training {name}", total=1.0)
                bar.update(tasks[name], completed=done)

            return ensure(names, self._stage.cache_dir, progress)

    def _say(self, text: str) -> None:
        self._stage.console.print(text)


def _step(stage: dict[str, Any]) -> str:
    share_bp = stage["weight_bp"] or stage["mirror_bp"]
    return f"{stage['kind']} {share_bp / 100:g} %" if share_bp else str(stage["kind"])


def _samples(rollout: dict[str, Any]) -> int:
    return sum(arm["folded"] for stage in rollout["counts"]["stages"].values() for arm in stage.values())
