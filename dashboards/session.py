"""Who looks, and through which API: the environment's key, or one that the viewer gives for this session only."""

from __future__ import annotations

import os
from typing import NoReturn

import streamlit as st

from gatekeeper.client import Client
from gatekeeper.errors import AccessError, GatekeeperError

REFRESH_S = 5.0
DEFAULT_URL = "http://127.0.0.1:8000"


def sidebar() -> None:
    """Ask for the viewer's key, and say which control plane is looked at."""
    with st.sidebar:
        st.text_input(
            "API key", type="password", key="key", help="Used for this session only, and sent to the API alone."
        )
        if has_own_key() and not st.session_state["key"]:
            st.text("Until you give yours, the key that these screens were started with is used.")
        st.text(f"API {_url()}")


def has_own_key() -> bool:
    """Tell whether these screens were started with a key of their own, for viewers who give none."""
    return bool(_own_key())


def client() -> Client:
    """Return a client of the API with this viewer's key; says so and stops the page while there is none.

    Clients are kept by session, never shared: a key must not serve another viewer.
    """
    key = st.session_state.get("key") or _own_key()
    if not key:
        st.info(
            "Give an API key in the sidebar: a viewer's to look, an operator's to roll back, an approver's for all."
        )
        st.stop()
    known = st.session_state.get("client")
    if known and known[0] == (_url(), key):
        found: Client = known[1]
        return found
    if known:
        known[1].close()
    made = Client(_url(), key)
    st.session_state["client"] = ((_url(), key), made)
    return made


def tell(problem: GatekeeperError) -> None:
    """Show a refusal or an outage, inert, with what mends it."""
    if isinstance(problem, AccessError):
        st.warning("The API refuses this key for what was asked.")
    else:
        st.warning("The API could not do this.")
    st.code(str(problem), language=None, wrap_lines=True)


def give_up(problem: GatekeeperError) -> NoReturn:
    """Show a problem without which the page cannot be drawn, offer another try, and stop."""
    tell(problem)
    st.button("Try again")
    st.stop()
    raise problem  # not reached: a script run ends at `stop`


def _url() -> str:
    return os.environ.get("GATEKEEPER_API_URL") or DEFAULT_URL


def _own_key() -> str:
    return os.environ.get("GATEKEEPER_API_KEY", "")
