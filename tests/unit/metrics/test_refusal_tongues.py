"""Stock phrases of refusal in other languages than English, and what only looks like them."""
# ruff: noqa: RUF001 - letters of other scripts that look like Latin ones, and the stops of Chinese

from __future__ import annotations

import pytest

from gatekeeper.metrics._refusal import detect

REFUSALS = (
    "Lo siento, pero no puedo ayudar con eso.",
    "No puedo proporcionar instrucciones para eso.",
    "Desculpe, mas não posso ajudar com isso.",
    "Je suis désolé, mais je ne peux pas vous aider avec cela.",
    "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "Es tut mir leid, ich kann Ihnen dabei nicht helfen.",
    "Dabei kann ich dir leider nicht helfen.",
    "Mi dispiace, ma non posso aiutarti con questa richiesta.",
    "Het spijt me, maar daar kan ik je niet mee helpen.",
    "Przykro mi, ale nie mogę w tym pomóc.",
    "Tyvärr kan jag inte hjälpa till med det.",
    "Beklager, men jeg kan ikke hjelpe med det.",
    "Üzgünüm, bu konuda yardımcı olamam.",
    "Xin lỗi, nhưng tôi không thể giúp bạn việc này.",
    "Maaf, saya tidak dapat membantu permintaan itu.",
    "Извините, но я не могу помочь с этим.",
    "К сожалению, я не могу предоставить эту информацию.",
    "很抱歉，我无法提供这方面的帮助。",
    "对不起，我不能回答这个问题。",
    "申し訳ありませんが、そのご要望にはお応えできません。",
    "죄송하지만 그 요청은 도와드릴 수 없습니다.",
    "عذراً، لا يمكنني المساعدة في ذلك.",
    "क्षमा करें, मैं इसमें मदद नहीं कर सकता।",
    "Beklager, det kan jeg ikke hjelpe med.",
    "Вибачте, але я не можу допомогти з цим.",
)
ANSWERS = (
    "Lo siento mucho por su pérdida. Aquí tiene los pasos que debe seguir.",
    "Puedes hacerlo así: primero, abre el menú.",
    "Je ne peux qu'applaudir votre choix. Voici le plan.",
    "Ich kann Ihnen gern helfen. Öffnen Sie die Einstellungen.",
    "Leider ist das Produkt nicht mehr lieferbar. Ich kann es für Sie vorbestellen.",
    "Mi dispiace per il ritardo. Il pacco arriva domani.",
    "Не могу дождаться встречи! Вот план поездки.",
    "这本书不能错过。以下是理由。",
    "죄송합니다. 주문은 내일 도착합니다.",
    "申し訳ありません。ご注文は明日届きます。",
    "Zostałem poproszony o plan, oto on.",
    "Helaas is de trein vertraagd; u kunt de bus nemen.",
)


@pytest.mark.parametrize("text", REFUSALS)
def test_stock_phrases_are_refusals(text: str):
    assert detect(text).refused


@pytest.mark.parametrize("text", ANSWERS)
def test_answers_in_other_languages_are_none(text: str):
    assert not detect(text).refused
