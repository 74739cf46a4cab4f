"""All rollouts, newest first; each opens its review."""

from __future__ import annotations

from urllib.parse import quote

import streamlit as st
from session import REFRESH_S, client, tell

from gatekeeper.errors import GatekeeperError

MOST = 50

api = client()
st.header("Rollouts")


def table() -> None:
    """Draw the list."""
    try:
        rollouts = api.rollouts(limit=MOST)
    except GatekeeperError as problem:
        tell(problem)
        return
    if not rollouts:
        st.info("No rollout yet: `gatekeeper rollout create --service S --policy P --candidate D` makes one.")
        return
    shown = [
        {
            "rollout": f"/review?rollout={quote(rollout['id'])}",
            "service": rollout["service"],
            "candidate": rollout["candidate_id"],
            "state": rollout["state"].replace("_", " "),
            "stage": rollout["stage"] + 1,
            "candidate share": rollout["split_wanted"]["candidate_bp"] / 10_000,
            "minutes": round(rollout["elapsed_s"] / 60, 1),
            "why": rollout["reason"],
        }
        for rollout in rollouts
    ]
    columns = {
        "rollout": st.column_config.LinkColumn("rollout", display_text="rollout=(.*)$", alignment="left"),
        "candidate share": st.column_config.NumberColumn(format="percent"),
        "why": st.column_config.TextColumn(width="large"),
    }
    st.text("Select a row to review its rollout here; its link opens a new tab.")
    picked = st.dataframe(
        shown,
        hide_index=True,
        width="stretch",
        column_config=columns,
        on_select="rerun",
        selection_mode="single-row",
        key="rollouts",
    )
    if picked.selection.rows:
        st.switch_page("screens/review.py", query_params={"rollout": rollouts[picked.selection.rows[0]]["id"]})


st.fragment(table, run_every=REFRESH_S)()
