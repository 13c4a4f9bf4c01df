"""What becomes of findings when a run starts: errors stop it, doubts are said once."""

from collections.abc import Collection, Iterable

from mmthermal.checking.finding import Finding, worst_first
from mmthermal.checking.records import UNREADABLE
from mmthermal.common.checks import InputError, did_you_mean
from mmthermal.common.said_once import say_once

# Nothing can be made of a file with one of these, whatever is accepted.
_FATAL = UNREADABLE | {
    "class-not-listed",
    "class-order",
    "duplicate-annotation-id",
    "duplicate-category-id",
    "no-images-left",
    "num-classes-differ",
}


def settle(
    findings: Iterable[Finding],
    *,
    accept: Collection[str] = (),
    doubtful: Collection[str] = (),
    setting: str = "accept",
) -> None:
    """Stop at errors, log warnings once in a process, and pass over what is accepted.

    Args:
        findings: what a check has found.
        accept: codes that the user has looked at: errors of these are only warnings, and
            warnings are not logged.
        doubtful: codes of errors that are warnings here.
        setting: name of the setting that ``accept`` comes from, for the message.

    Raises:
        InputError: with every error, what to do about it and how to accept it.
    """
    errors: list[Finding] = []
    for finding in worst_first(findings):
        accepted = finding.code in accept and finding.code not in _FATAL
        if finding.severity == "error" and not accepted and finding.code not in doubtful:
            errors.append(finding)
        elif finding.severity == "note" or (accepted and finding.severity == "warning"):
            continue
        else:
            say_once(finding, f"{'accepted: ' if accepted else ''}{to_line(finding)}")
    if errors:
        raise InputError(_message(errors, setting))


def known_codes(
    accept: str | Collection[str], known: Collection[str], setting: str
) -> tuple[str, ...]:
    """The codes of a setting, checked, as a misspelt one would accept nothing.

    Args:
        accept: one code or several.
        known: codes that the check can find.
        setting: name of the setting, for the message.

    Returns:
        the codes.

    Raises:
        ValueError: if a code is none of the known ones.
    """
    codes = (accept,) if isinstance(accept, str) else tuple(accept)
    for code in codes:
        if code not in known:
            hint = did_you_mean(str(code), known) or f"choose of {', '.join(sorted(known))}"
            raise ValueError(f"{setting}: no finding has the code {code!r}: {hint}")
    return codes


def to_line(finding: Finding) -> str:
    """A finding in one line: place, what, what to do, examples, code.

    Args:
        finding: the finding.
    """
    examples = f" ({', '.join(finding.examples)})" if finding.examples else ""
    place = f"{finding.where}: " if finding.where else ""
    return f"{place}{finding.message}{examples}. To do: {finding.remedy} [{finding.code}]"


def _message(errors: list[Finding], setting: str) -> str:
    """All errors, each in a line, and how to go on in spite of them."""
    lines = [to_line(finding) for finding in errors]
    codes = [finding.code for finding in errors if finding.code not in _FATAL]
    if codes and len(codes) == len(errors):
        lines.append(f"If that is meant: {setting}={sorted(set(codes))!r} (docs/faults.md)")
    return "\n".join(lines)
