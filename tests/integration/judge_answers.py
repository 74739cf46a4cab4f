"""What a simulated judge says: it prefers, and grades better, answers that hold `good` more often."""

from __future__ import annotations

import json
import re

MARKED = re.compile(r"begin ([^\]]*)\]\n(.*?)\n\[\S+ end \1\]", re.DOTALL)


def answers(model: str, prompt: str, seed: int | None) -> str:
    """Return a reply; the model `wordy` wraps it in chatter, `first` always takes the first answer."""
    del seed
    said = {name: text.count("good") for name, text in MARKED.findall(prompt)}
    if "answer" in said:
        reply = json.dumps({"reason": "counted", "score": 1 + min(said["answer"], 4)})
    else:
        first, second = said["answer A"], said["answer B"]
        winner = "tie" if first == second else "A" if first > second else "B"
        reply = json.dumps({"reason": "counted", "winner": "A" if model == "first" else winner})
    return f"Let me think.\n```json\n{reply}\n```" if model == "wordy" else reply
