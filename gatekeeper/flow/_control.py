"""Which rows the candidate is held against: the control's where one was run, else the baseline's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gatekeeper.decide.columns import ARMS, Columns
from gatekeeper.flow._pairing import mostly_pairs
from gatekeeper.model.arm import Arm

ENOUGH = 0.5
"""Share of the candidate's samples that a control has at least: it is a cohort of the candidate's size."""

BASELINE, CANDIDATE, CONTROL = (ARMS.index(arm) for arm in (Arm.BASELINE, Arm.CANDIDATE, Arm.CONTROL))


@dataclass(slots=True)
class Comparison:
    """Hold what the candidate is compared with.

    by_control: the control's rows stand in the baseline's place. left_out: rows of the arm that is not compared.
    """

    by_control: bool
    paired: bool
    left_out: int = 0

    @classmethod
    def fitting(cls, columns: Columns) -> Comparison:
        """Choose by a first run of rows: pairs, else a control of enough rows, else the baseline."""
        if mostly_pairs(columns):
            return cls(by_control=False, paired=True)
        counts = np.bincount(columns.arm, minlength=len(ARMS))
        enough = int(counts[CONTROL]) > 0 and bool(counts[CONTROL] >= ENOUGH * counts[CANDIDATE])
        return cls(by_control=enough, paired=False)

    def compared(self, columns: Columns) -> Columns:
        """Return the rows that are compared, the control's as the baseline's."""
        out = columns.arm == (BASELINE if self.by_control else CONTROL)
        if bool(out.any()):
            self.left_out += int(np.count_nonzero(out))
            columns = columns.take(np.flatnonzero(~out))
        if not self.by_control:
            return columns
        return replace(columns, arm=np.where(columns.arm == CONTROL, np.int8(BASELINE), columns.arm))

    def in_words(self) -> str:
        """Say what was compared; "" where there is nothing to say."""
        if self.by_control:
            return f"the candidate is compared with the control; {self.left_out:,} baseline samples are left out"
        if not self.left_out:
            return ""
        why = "the data are pairs" if self.paired else "they are fewer than half as many as the candidate's"
        return f"{self.left_out:,} control samples are left out: {why}"
