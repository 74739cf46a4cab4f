"""Whether a JSON value has everything of another."""

from __future__ import annotations


def holds(found: object, wanted: object, *, fold: bool = False) -> bool:
    """Tell whether `found` has everything of `wanted`: each key of an object, each item of a list, in its place.

    fold: texts are compared without regard to case.
    """
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            key in found and holds(found[key], wanted[key], fold=fold) for key in wanted
        )
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            return False
        return all(holds(have, want, fold=fold) for have, want in zip(found, wanted, strict=True))
    if isinstance(wanted, bool) or isinstance(found, bool):
        return found is wanted
    if fold and isinstance(wanted, str) and isinstance(found, str):
        return found.casefold() == wanted.casefold()
    return found == wanted
