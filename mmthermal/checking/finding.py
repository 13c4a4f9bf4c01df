"""What a check finds: how bad it is, where, how often, and what to do about it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from mmthermal.common.boxes import Bools
from mmthermal.common.checks import check_choice

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Worst first. An error would spoil a training, a warning may, a note is worth knowing."""
EXAMPLES = 5
"""How many examples a finding keeps."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Args:
        severity: one of ``SEVERITIES``.
        code: what kind of thing it is, the same in every version, such as ``duplicate-image-id``.
        message: what was found, in a sentence, with its numbers.
        remedy: what to do about it, in a sentence.
        where: the file or the split in which it was found.
        count: how many records or images it concerns.
        total: of how many; 0 where that makes no sense.
        examples: some of them by name or id.

    Raises:
        ValueError: for an unknown severity.
    """

    severity: Severity
    code: str
    message: str
    remedy: str
    where: str = ""
    count: int = 0
    total: int = 0
    examples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the severity."""
        check_choice("severity", self.severity, SEVERITIES)

    def at(self, where: str) -> "Finding":
        """The same finding with another place."""
        return replace(self, where=where)

    def to_dict(self) -> dict[str, Any]:
        """A form that JSON takes."""
        return {**asdict(self), "examples": list(self.examples)}


def some(values: Iterable[Any]) -> tuple[str, ...]:
    """The first few values as words, for a finding's examples."""
    words: list[str] = []
    for value in values:
        if len(words) == EXAMPLES:
            break
        words.append(str(value))
    return tuple(words)


def of_annotations(
    severity: Severity, code: str, mask: Bools, ids: Sequence[int | str], what: str, remedy: str
) -> list[Finding]:
    """A finding about the annotations of a mask, or none.

    Args:
        severity: of the finding.
        code: likewise.
        mask: (G,) flags of the annotations.
        ids: (G,) their ids, for the examples.
        what: is wrong with them, after "3 of 9 annotations".
        remedy: of the finding.

    Returns:
        a list of one finding; of none if no flag is set.
    """
    count = int(mask.sum())
    if not count:
        return []
    return [
        Finding(
            severity,
            code,
            f"{count} of {len(mask)} annotations {what}",
            remedy,
            count=count,
            total=len(mask),
            examples=some(f"annotation {ids[i]}" for i in np.flatnonzero(mask).tolist()),
        )
    ]


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sort by severity, then by the share and the number of records concerned."""

    def key(finding: Finding) -> tuple[int, float, int]:
        share = finding.count / finding.total if finding.total else 0.0
        return SEVERITIES.index(finding.severity), -share, -finding.count

    return sorted(findings, key=key)


def in_words(counts: Mapping[Severity, int]) -> str:
    """Numbers by severity as words, such as "1 error, 2 notes"."""
    return ", ".join(f"{n} {kind}{'' if n == 1 else 's'}" for kind, n in counts.items())


def has_errors(findings: Sequence[Finding]) -> bool:
    """Whether one of the findings would spoil a training."""
    return any(finding.severity == "error" for finding in findings)
