"""The nouns: frozen, slotted dataclasses, and the JSON Schemas of what crosses our border."""
