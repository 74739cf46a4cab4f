"""The screens, run as Streamlit runs them, against a control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.model.key import Scope

if TYPE_CHECKING:
    import pytest
    from conftest import World
    from streamlit.testing.v1 import AppTest

REFUSAL = "I'm sorry, but I can't help with that."
PIXEL = "http://beacon.invalid/p.png"
HOSTILE = f'![x]({PIXEL}) <img src="{PIXEL}"> <script>fetch("{PIXEL}")</script> :material/home: $x$'


def texts(page: AppTest) -> str:
    return "\n".join([*(part.value for part in page.text), *(part.value for part in page.code)])


def button(page: AppTest, label: str):
    return next(part for part in page.button if part.label == label)


def in_canary(world: World) -> None:
    """Prove the shadow stage, and show the canary's split."""
    world.settle()
    world.feed(1_500)
    world.settle()


def test_before_the_first_look_the_review_says_that_nothing_was_measured(review: AppTest):
    review.run()
    assert not review.exception
    assert "Hold: waits until the gateways show stage 1" in texts(review)
    assert "◉ shadow 20 %" in texts(review)
    assert "○ canary 10 % · needs approval" in texts(review)
    assert [part.value for part in review.info] == [
        "This stage's evidence has not been looked at yet: nothing measured is no good news."
    ]
    assert {part.label: part.value for part in review.metric}["Share seen"] == "not yet"


def test_a_stage_that_was_looked_at_shows_its_figures_and_pairs(world: World, review: AppTest):
    world.settle()
    world.feed(40, candidate=REFUSAL)
    review.run()
    assert not review.exception
    assert not review.info
    assert "The arms differ in: refused." in texts(review)
    assert REFUSAL in texts(review)
    shown = review.dataframe[0].value
    assert list(shown["ruling"])[-1] == "watched"
    assert "refusal_rate" in list(shown["metric"])
    review.toggle[0].set_value(True).run()
    assert not review.exception
    assert "refusal_rate" in review.selectbox[0].options


def test_what_models_and_people_write_is_shown_by_inert_elements_only(world: World, review: AppTest):
    world.settle()
    world.feed(5, candidate=HOSTILE, baseline=HOSTILE + " and more")
    with world.client() as client:
        client.rollback(world.rollout_id, HOSTILE)
    review.run()
    assert not review.exception
    holders = {element.type for element in review.main if PIXEL in str(element.proto)}
    assert holders == {"text", "code"}


def test_an_approver_approves_once_the_stage_asks_for_it(world: World, review: AppTest):
    assert button(review.run(), "Approve this stage").disabled
    in_canary(world)
    review.run()
    assert "◉ canary 10 % · needs approval" in texts(review)
    button(review, "Approve this stage").click()
    review.run()
    assert not review.exception
    assert "◉ canary 10 % · approved" in texts(review)
    assert button(review, "Approve this stage").disabled


def test_roll_back_takes_the_reason_along_and_ends_the_page_s_business(world: World, review: AppTest):
    world.settle()
    review.run()
    review.text_input(key=f"reason {world.rollout_id}").input("users complain").run()
    button(review, "Roll back now").click()
    review.run()
    assert not review.exception
    assert "users complain" in texts(review)
    assert "✖ shadow 20 %" in texts(review)
    assert "Roll back now" not in {part.label for part in review.button}
    with world.client() as client:
        _, entries = client.audit(world.rollout_id)
    assert entries[-1].actor.startswith("approver (")
    assert entries[-1].body == {"reason": "users complain"}


def test_deciding_against_the_recommendation_needs_a_reason(world: World, review: AppTest):
    world.settle()
    world.do("pause")
    world.feed(1_500)
    with world.client() as client:
        assert client.rollout(world.rollout_id)["verdict"] == "promote"
    review.run()
    button(review, "Roll back now").click().run()
    assert [part.value for part in review.warning] == ["This goes against the recommendation: say why first."]
    with world.client() as client:
        assert client.rollout(world.rollout_id)["state"] == "running"


def test_a_viewer_looks_and_the_api_refuses_the_rest(world: World, review: AppTest, monkeypatch: pytest.MonkeyPatch):
    world.settle()
    monkeypatch.setenv("GATEKEEPER_API_KEY", world.keys[Scope.VIEWER])
    review.run()
    button(review, "Roll back now").click().run()
    assert "The API refuses this key for what was asked." in [part.value for part in review.warning]
    with world.client() as client:
        assert client.rollout(world.rollout_id)["state"] == "running"


def test_without_a_key_the_page_asks_for_one_and_keeps_it_to_the_session(
    world: World, review: AppTest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("GATEKEEPER_API_KEY")
    review.run()
    assert review.info[0].value.startswith("Give an API key in the sidebar")
    assert world.rollout_id not in texts(review)
    review.text_input(key="key").input("gk_test_wrong").run()
    assert review.warning[0].value == "The API refuses this key for what was asked."
    review.text_input(key="key").input(world.keys[Scope.VIEWER]).run()
    assert not review.exception
    assert "◉ shadow 20 %" in texts(review)


def test_an_unknown_rollout_and_an_api_that_is_away_are_told(review: AppTest, monkeypatch: pytest.MonkeyPatch):
    review.query_params["rollout"] = "r-nowhere"
    review.run()
    assert not review.exception
    assert "r-nowhere" in review.code[0].value
    monkeypatch.setenv("GATEKEEPER_API_URL", "http://127.0.0.1:9")
    button(review, "Try again").click().run()
    assert not review.exception
    assert "does not answer" in review.code[0].value


def test_simulated_engines_are_named_on_the_screen(world: World, review: AppTest):
    assert not review.run().warning
    with world.client() as client:
        client.create_deployment(
            service="support", url="http://sim.invalid", model="m", engine="sim", id="rehearsed", release={"model": "m"}
        )
        client.rollback(world.rollout_id)
        world.settle()
        policy = (
            "policy: p\nmetrics: {refusal_rate: {max_increase: 2pp}}\nstages: [shadow: {mirror: 20%, max_wait: 1h}]"
        )
        made = client.create_rollout(service="support", policy=policy, candidate="rehearsed")
    review.query_params["rollout"] = made["id"]
    review.run()
    assert review.warning[0].value.startswith("Simulated engines")


def test_the_list_links_each_rollout_to_its_review(world: World, review: AppTest):
    review.switch_page("screens/rollouts.py")
    review.run()
    assert not review.exception
    shown = review.dataframe[0].value
    assert list(shown["rollout"]) == [f"/review?rollout={world.rollout_id}"]
    assert list(shown["state"]) == ["running"]


def test_a_review_without_a_rollout_offers_those_there_are(world: World, review: AppTest):
    del review.query_params["rollout"]
    review.run()
    assert not review.exception
    assert review.selectbox[0].options == [world.rollout_id]
    assert "◉ shadow 20 %" in texts(review)
