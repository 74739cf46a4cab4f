"""A report as JUnit XML: one test case a finding; undecided is skipped, an outage an error, a regression a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from gatekeeper.cli import _render_corrections, _sheet
from gatekeeper.cli import _render_words as words
from gatekeeper.cli._render_gate import junit_text
from gatekeeper.model.finding import Ruling, VerdictKind

if TYPE_CHECKING:
    from gatekeeper.model.finding import Finding, Report

_MARKS = {Ruling.FAIL: "failure", Ruling.ERROR: "error", Ruling.INCONCLUSIVE: "skipped"}
_VERDICTS = {
    VerdictKind.PROMOTE: Ruling.PASS,
    VerdictKind.HOLD: Ruling.INCONCLUSIVE,
    VerdictKind.ROLLBACK: Ruling.FAIL,
}


def junit(report: Report, *, title: str = "") -> str:
    """Return the report as one JUnit test suite; names are unique, as CI systems drop a second case of one name."""
    suite = ET.Element("testsuite", name=words.for_xml(title) or "gatekeeper")
    taken: set[str] = set()
    _case(suite, taken, "verdict", _VERDICTS[report.verdict], words.sentence(report))
    for finding in words.worst_first(report.findings):
        _case(suite, taken, words.name(finding), finding.ruling, _details(finding))
    for check in report.checks:
        _case(suite, taken, f"check {check.name}", check.ruling, check.reason)
    suite.set("tests", str(len(suite)))
    corrected = (
        _sheet.text([_render_corrections.block(one) for one in report.corrections]) if report.corrections else ""
    )
    if more := "\n".join(filter(None, (junit_text(report), corrected))):
        ET.SubElement(suite, "system-out").text = words.for_xml(more)
    for attribute, mark in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"./testcase/{mark}"))))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, taken: set[str], name: str, ruling: Ruling, details: str) -> None:
    unique, count = words.for_xml(name), 1
    while unique in taken:
        count += 1
        unique = f"{words.for_xml(name)} #{count}"
    taken.add(unique)
    case = ET.SubElement(suite, "testcase", classname="gatekeeper", name=unique, time="0")
    safe = words.for_xml(details)
    if ruling in _MARKS:
        ET.SubElement(case, _MARKS[ruling], message=words.plain(safe)).text = safe
    else:
        ET.SubElement(case, "system-out").text = safe


def _details(finding: Finding) -> str:
    effect = finding.effect
    return (
        f"{finding.reason}\n"
        f"baseline {words.value(finding, finding.baseline.value)} (n={finding.baseline.n}), "
        f"candidate {words.value(finding, finding.candidate.value)} (n={finding.candidate.n}), "
        f"change {words.change(finding)} {words.interval(effect)}, "
        f"margin {words.amount(finding.margin, effect.unit, sign=False)}, test {finding.test}"
    )
