"""The review screens: one file a screen; whose key is used stands beside all of them.

The folder is not named `pages`: Streamlit would list and run such files by itself, past this one.
"""

from __future__ import annotations

import session
import streamlit as st

STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 4rem; padding-bottom: 2rem; }
.st-key-sentence [data-testid="stText"] { font-size: 1.35rem; line-height: 1.4; }
.st-key-figures [data-testid="stMetricValue"] { font-size: 1.5rem; }
.st-key-steps [data-testid="stText"] { white-space: nowrap; }
</style>"""

st.set_page_config(
    page_title="gatekeeper",
    layout="wide",
    initial_sidebar_state="collapsed" if session.has_own_key() else "expanded",
)
st.html(STYLE)
page = st.navigation(
    [
        st.Page("screens/rollouts.py", title="Rollouts", url_path="rollouts", default=True),
        st.Page("screens/review.py", title="Review", url_path="review"),
    ],
    position="top",
)
session.sidebar()
page.run()
