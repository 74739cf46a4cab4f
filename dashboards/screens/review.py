"""One rollout, to decide on in under a minute: the sentence, the step, the plot, the worst pairs, two buttons.

Only what changes by itself is drawn again every few seconds; pairs being read and a reason being typed stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import evidence
import pairs
import streamlit as st
from session import REFRESH_S, client, give_up, tell

from gatekeeper.errors import GatekeeperError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SIMULATED = "Simulated engines: no model runs here. What you see are rehearsed answers and times."
SIM = "sim"

api = client()


def pick() -> str:
    """Return the id of the rollout that the address names, else of one that the viewer chooses."""
    named = st.query_params.get("rollout")
    if named:
        return str(named)
    known = [rollout["id"] for rollout in api.rollouts(limit=50)]
    if not known:
        st.info("No rollout yet.")
        st.stop()
    return str(st.selectbox("Rollout", known))


def simulated(rollout: Mapping[str, Any]) -> bool:
    """Tell whether an arm of the rollout is a simulated engine."""
    arms = {rollout["baseline_id"], rollout["candidate_id"]}
    return any(deployment.engine == SIM for deployment in api.deployments(rollout["service"]) if deployment.id in arms)


def outline(rollout: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what the whole page, and not only its live part, depends on."""
    return rollout["version"], rollout["settled"], rollout["verdict"], rollout["look"] > 0


def live() -> None:
    """Draw what changes by itself; draw the whole page again when the rollout has moved."""
    try:
        rollout = api.rollout(shown["id"])
        evidence.head(rollout)
        evidence.metrics(api, rollout)
    except GatekeeperError as problem:
        tell(problem)
        return
    if outline(rollout) != outline(shown):
        st.rerun()


def worst_pairs() -> None:
    """Draw the pairs, which stay until their reader asks for newer ones."""
    try:
        pairs.worst(api, shown["id"])
    except GatekeeperError as problem:
        tell(problem)


def decide() -> None:
    """Offer approval and roll-back; who decides against the recommendation says why."""
    reason = st.text_input(
        "Reason", key=f"reason {shown['id']}", help="Kept in the audit; needed to decide against the recommendation."
    ).strip()
    waits = shown["stages"][shown["stage"]]["needs_approval"] and shown["approved_stage"] != shown["stage"]
    with st.container(horizontal=True):
        approved = st.button("Approve this stage", type="primary", disabled=not waits)
        rolled_back = st.button("Roll back now")
    against = {"rollback": approved, "promote": rolled_back}.get(shown["verdict"], False)
    if against and not reason:
        st.warning("This goes against the recommendation: say why first.")
    elif approved:
        act(lambda: api.approve(shown["id"], reason, if_match=shown["version"]))
    elif rolled_back:
        act(lambda: api.rollback(shown["id"], reason))


def act(call: Callable[[], object]) -> None:
    """Do what was asked and draw the page again, or say why not."""
    try:
        call()
    except GatekeeperError as problem:
        tell(problem)
    else:
        st.rerun()


try:
    shown = api.rollout(pick())
    if simulated(shown):
        st.warning(SIMULATED)
except GatekeeperError as problem:
    give_up(problem)
running = shown["state"] == "running"
st.fragment(live, run_every=REFRESH_S if running or not shown["settled"] else None)()
st.subheader("The most telling pairs")
st.fragment(worst_pairs)()
if running:
    st.subheader("Your decision")
    decide()
