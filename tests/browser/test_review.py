"""The review, as a person sees and uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from conftest import Desk, Watched

pytestmark = pytest.mark.browser

CANARY = """\
policy: p
metrics: {refusal_rate: {max_increase: 2pp}}
stages:
  - canary: {weight: 10%, needs_approval: true, max_wait: 1h, on_undecided: hold}
"""
SHADOW = """\
policy: p
segments: [segment]
metrics: {refusal_rate: {max_increase: 2pp}}
stages:
  - shadow: {mirror: 20%, max_wait: 1h, on_undecided: hold}
"""
GOOD = {"baseline": "It is four.", "candidate": "Four."}
DRAWN = "canvas, svg.marks"
REFRESHED_MS = 12_000
BEACON = "http://beacon.invalid/p.png"
HOSTILE = (
    f'![x]({BEACON}) <img src="{BEACON}" onerror="window.owned = 1"> <script>window.owned = 1</script>'
    f" <style>@import url({BEACON}); body {{ background: url({BEACON}) }}</style> [x](javascript:alert(1))"
)


def test_a_canary_is_shown_and_rolled_back_with_its_reason(desk: Desk, watched: Watched):
    rollout_id = desk.rollout("rolls-back", CANARY)
    desk.send(rollout_id, 20, GOOD, paired=False)
    page = watched.open(desk, rollout_id)
    expect(page.get_by_text("Hold: refusal_rate is unchanged")).to_be_visible()
    expect(page.get_by_text("◉ canary 10 % · needs approval")).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart").locator(DRAWN).first).to_be_visible()
    reason = page.get_by_label("Reason", exact=True)
    reason.press_sequentially("users comp")
    before = page.get_by_test_id("stMetric").last.inner_text()
    page.wait_for_function(
        "before => [...document.querySelectorAll('[data-testid=stMetric]')].at(-1).innerText !== before",
        arg=before,
        timeout=REFRESHED_MS,
    )
    expect(reason).to_have_value("users comp")
    reason.press_sequentially("lain")
    page.get_by_role("button", name="Roll back now").click()
    expect(page.get_by_text("Rolled back", exact=True)).to_be_visible()
    expect(page.get_by_text("users complain")).to_be_visible()
    expect(page.get_by_text("✖ canary 10 %")).to_be_visible()
    expect(page.get_by_role("button", name="Roll back now")).to_have_count(0)
    ended = desk.until(rollout_id, lambda rollout: rollout["settled"])
    assert (ended["state"], ended["split_seen"]["candidate_bp"]) == ("rolled_back", 0)
    assert "users complain" in ended["reason"]


def test_an_approver_s_key_approves(desk: Desk, watched: Watched):
    rollout_id = desk.rollout("approves", CANARY)
    desk.send(rollout_id, 5, GOOD, paired=False)
    page = watched.open(desk, rollout_id)
    page.get_by_role("button", name="Approve this stage").click()
    expect(page.get_by_text("◉ canary 10 % · approved")).to_be_visible()
    expect(page.get_by_role("button", name="Approve this stage")).to_be_disabled()
    assert desk.client.rollout(rollout_id)["approved_stage"] == 0


def test_the_page_follows_a_rollout_that_others_end(desk: Desk, watched: Watched):
    rollout_id = desk.rollout("follows", CANARY)
    page = watched.open(desk, rollout_id)
    expect(page.get_by_text("nothing measured is no good news")).to_be_visible()
    desk.client.rollback(rollout_id, "an alert fired")
    expect(page.get_by_text("an alert fired")).to_be_visible()
    expect(page.get_by_role("button", name="Roll back now")).to_have_count(0)


def test_hostile_words_are_shown_as_words(desk: Desk, watched: Watched):
    rollout_id = desk.rollout("hostile", SHADOW)
    answers = {"baseline": HOSTILE, "candidate": f"Four. {HOSTILE}"}
    desk.send(rollout_id, 20, answers, paired=True, segment=HOSTILE[:60])
    desk.client.act(rollout_id, "pause", HOSTILE)
    page = watched.open(desk, rollout_id)
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart").locator(DRAWN).first).to_be_visible()
    page.get_by_text("The figures, and what they say").click()
    page.get_by_text("One metric over time").click()
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
    page.get_by_test_id("stVegaLiteChart").first.hover(position={"x": 600, "y": 110})
    page.get_by_label("Reason", exact=True).fill(HOSTILE)
    page.get_by_role("button", name="Roll back now").click()
    expect(page.get_by_text("Rolled back", exact=True)).to_be_visible()
    page.goto(f"{desk.ui_url}/rollouts")
    expect(page.get_by_text("Give an API key")).to_be_visible()
    assert page.evaluate("window.owned") is None


def test_the_browser_itself_refuses_what_the_pages_never_load(desk: Desk, watched: Watched):
    headers = httpx.get(desk.ui_url).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    watched.page.goto(desk.ui_url)
    watched.page.evaluate("address => { document.body.appendChild(new Image()).src = address }", BEACON)
    watched.page.wait_for_timeout(200)
    assert any("Content Security Policy" in text for text in watched.refused)
    watched.refused.clear()
    watched.strays.clear()
