"""Which language a text is in, and answers that leave the question's."""

from __future__ import annotations

import pytest

from gatekeeper.metrics._language import language, switched

TEXTS = {
    "english": "The weather in the city was so bad that we had to stay in our room and wait for it to get better.",
    "german": "Das Wetter in der Stadt war so schlecht, dass wir im Zimmer bleiben und auf die Sonne warten mussten.",
    "french": "Le temps dans la ville était si mauvais que nous avons dû rester dans la chambre et attendre le soleil.",
    "spanish": "El tiempo en la ciudad era tan malo que nos tuvimos que quedar en el cuarto y esperar por el sol.",
    "italian": "Il tempo nella città era così brutto che siamo rimasti in camera ad aspettare il sole con gli altri.",
    "portuguese": "O tempo na cidade não era bom, e nós ficamos em casa com os amigos para esperar o sol do verão.",
    "dutch": "Het weer in de stad was zo slecht dat wij in onze kamer zijn gebleven en op het mooie weer wachten.",
    "cyrillic": "Погода в городе была такой плохой, что нам пришлось остаться в комнате.",
    "han": "城里的天气太糟糕了我们只好待在房间里等待天气好转。",
    "japanese": "街の天気がとても悪かったので、部屋で待たなければなりませんでした。",
    "korean": "도시의 날씨가 너무 나빠서 우리는 방에 머물러야 했습니다.",
    "arabic": "كان الطقس في المدينة سيئا لدرجة أننا اضطررنا إلى البقاء في الغرفة.",
}


@pytest.mark.parametrize("name", TEXTS)
def test_languages(name: str):
    assert language(TEXTS[name]) == name


@pytest.mark.parametrize("text", ["", "42", "x = [1, 2, 3]", "apple, balls, caramel", "\ud800 lone", "Liger, Tigon"])
def test_too_little_to_tell(text: str):
    assert language(text) is None


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "english"])
def test_a_switch(name: str):
    asked = "What was the weather like when you were in the city?"
    assert switched(asked, TEXTS[name])
    assert switched(asked, f"{TEXTS['english']}\n\n{TEXTS[name] * 2}")
    assert not switched(TEXTS[name], TEXTS[name])


@pytest.mark.parametrize("scrap", ["不是所有的人", "не всегда так", "그렇지 않다고"])
def test_scraps_of_another_script(scrap: str):
    asked = "What was the weather like when you were in the city?"
    answer = f"The weather was good, {{}} and we were out all day, every day. {'It was a joy to be there. ' * 20}"
    assert switched(asked, answer.format(scrap))
    assert not switched(asked, answer.format(f"({scrap})"))
    assert not switched(f"{asked} {scrap}?", answer.format(scrap))
    assert not switched(f"{asked} Use Chinese.", answer.format(scrap))


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("Where is alpha?", "Write αβγδε and ∑ for it; the angle is θ, or “so” — and 😀😀😀😀😀😀."),
        ("What is the German for this: The weather was so bad", TEXTS["german"]),
        ("Translate it for me, and do it in the way that you like", TEXTS["korean"]),
        ("What was the weather like in the city?", TEXTS["english"]),
        (
            "What is the food of the city like?",
            "The best of it is sushi (寿司), with rice and fish that is from the bay.",
        ),
        ("?", TEXTS["spanish"]),
    ],
)
def test_no_switch(asked: str, answer: str):
    assert not switched(asked, answer)
