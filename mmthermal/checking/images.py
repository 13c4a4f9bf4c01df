"""Findings about the pictures of one split, compared with their records."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from mmthermal.checking.finding import Finding, Severity, some
from mmthermal.checking.image_facts import ImageFacts
from mmthermal.common.boxes import Floats
from mmthermal.common.stored_form import MISREAD

SATURATED = 0.01
"""Share of pixels at the largest value from which a picture counts as saturated."""


def check_images(
    facts: Sequence[ImageFacts], sizes: Floats, *, folder_setting: str = "data_prefix.img"
) -> list[Finding]:
    """Check the pictures of a split.

    Args:
        facts: of I pictures.
        sizes: (I, 2) width and height of their records.
        folder_setting: what names the pictures' folder, for the message.

    Returns:
        findings.
    """
    sizes = np.asarray(sizes, np.float64).reshape(-1, 2)
    pairs = [(f, tuple(size)) for f, size in zip(facts, sizes, strict=True) if not f.problem]
    readable = [f for f, _ in pairs]
    findings = [*_unreadable(facts, folder_setting)]
    if readable:
        findings += [
            *_sizes([(f, (int(w), int(h))) for f, (w, h) in pairs]),
            *_form(readable),
            *_bits(readable),
            *_values(readable),
        ]
    return findings


def _of(
    facts: Sequence[ImageFacts],
    test: Callable[[ImageFacts], bool],
    severity: Severity,
    code: str,
    what: str,
    remedy: str,
) -> list[Finding]:
    """A finding about the pictures that a test picks, or none."""
    found = [fact for fact in facts if test(fact)]
    if not found:
        return []
    return [
        Finding(
            severity,
            code,
            f"{len(found)} of {len(facts)} pictures {what}",
            remedy,
            count=len(found),
            total=len(facts),
            examples=some(fact.path for fact in found),
        )
    ]


def _unreadable(facts: Sequence[ImageFacts], folder_setting: str) -> list[Finding]:
    """Files that are missing or broken, or of which bands or bits are lost."""

    def misread(fact: ImageFacts) -> bool:
        return fact.problem.endswith(f"[{MISREAD}]")

    first = next((fact for fact in facts if misread(fact)), None)
    words = first.problem.replace(f"the image {first.path}", "the first") if first else ""
    return [
        *_of(
            facts,
            lambda f: f.problem == "missing",
            "error",
            "missing-image",
            "do not exist",
            f"{folder_setting} and the records' file_name must make the path together; or take the "
            "records out",
        ),
        *_of(
            facts,
            lambda f: bool(f.problem) and f.problem != "missing" and not misread(f),
            "error",
            "broken-image",
            "can't be read",
            "copy them again from their source, or take their records out",
        ),
        *_of(
            facts,
            misread,
            "error",
            MISREAD,
            f"are not read as they are stored: {words.partition(':')[0]}",
            "write the band that you mean as a grey picture",
        ),
    ]


def _sizes(pairs: Sequence[tuple[ImageFacts, tuple[int, int]]]) -> list[Finding]:
    """Pictures that are not as large as their records say, or lie on their side."""
    facts = [fact for fact, _ in pairs]
    wrong = [(f, size) for f, size in pairs if (f.width, f.height) != size]
    findings = _of(
        facts,
        lambda f: f.orientation != 1,
        "warning",
        "exif-orientation",
        "have an EXIF orientation: the loaders here and in mmdet turn them, other programs do not, "
        "and the boxes lie beside the objects in some",
        "turn the pixels once and for all (exiftran -ai, or ImageMagick's mogrify -auto-orient) "
        "and look at the boxes",
    )
    if wrong:
        fact, size = wrong[0]
        findings.append(
            Finding(
                "error",
                "image-size-differs",
                f"{len(wrong)} of {len(pairs)} pictures have another size than their record, such "
                f"as {fact.width} × {fact.height} instead of {size[0]} × {size[1]}",
                "correct the records, or give the pictures that the boxes were drawn in",
                count=len(wrong),
                total=len(pairs),
                examples=some(fact.path for fact, _ in wrong),
            )
        )
    return findings


def _form(facts: Sequence[ImageFacts]) -> list[Finding]:
    """Channels and pages."""
    numbers = Counter(fact.channels for fact in facts)
    findings = [
        *_of(
            facts,
            lambda f: f.channels in (2, 4),
            "warning",
            "alpha-channel",
            "have 2 or 4 channels: the last one is not used, though it may hold the thermal image",
            "write the channel that you mean as a grey picture",
        ),
        *_of(
            facts,
            lambda f: f.channels >= 3 and not f.grey,
            "warning",
            "colour-image",
            "are coloured: a palette says less than the counts behind it, and its grey is no "
            "temperature",
            "export raw or grey pictures; LoadThermalImage(colour='error') refuses colours",
        ),
        *_of(
            facts,
            lambda f: f.pages > 1,
            "warning",
            "several-pages",
            "have more than one page: only the first is used",
            "write a file for each page",
        ),
    ]
    if len(numbers) > 1:
        words = ", ".join(f"{count} with {channels}" for channels, count in numbers.most_common())
        findings.append(
            Finding(
                "note",
                "mixed-channels",
                f"the pictures differ in their number of channels: {words}",
                "LoadThermalImage makes one channel of all of them",
                count=len(facts) - numbers.most_common(1)[0][1],
                total=len(facts),
            )
        )
    return findings


def _bits(facts: Sequence[ImageFacts]) -> list[Finding]:
    """8-bit pictures among those of 16 bits; one value has the bits of neither."""
    varied = [fact for fact in facts if not fact.blank]
    numbers = Counter(fact.bits for fact in varied)
    if len(numbers) < 2:
        return []
    usual = numbers.most_common(1)[0][0]
    odd = [fact for fact in varied if fact.bits != usual]
    words = ", ".join(f"{count} of {bits} bits" for bits, count in numbers.most_common())
    return [
        Finding(
            "error",
            "mixed-bit-depth",
            f"the pictures differ in their bit depth: {words}",
            "take those of one depth only: stretched and raw pictures of a scene do not look alike",
            count=len(odd),
            total=len(facts),
            examples=some(fact.path for fact in odd),
        )
    ]


def _values(facts: Sequence[ImageFacts]) -> list[Finding]:
    """NaN, pictures of one value, saturation."""
    clipped = sum(fact.saturated > SATURATED for fact in facts)
    return [
        *_of(
            facts,
            lambda f: f.nonfinite > 0,
            "error",
            "nan-pixels",
            "hold NaN or infinite pixels: one of them makes the whole frame NaN in the network",
            "replace them by their neighbours (dead pixels)",
        ),
        *_of(
            facts,
            lambda f: f.blank,
            "warning",
            "blank-image",
            "have one value everywhere",
            "take out frames of a closed shutter",
        ),
        *_of(
            facts,
            lambda f: f.saturated > SATURATED,
            "warning" if clipped > 0.2 * len(facts) else "note",
            "saturated",
            f"have more than {SATURATED:.0%} of their pixels at the largest value",
            "choose a wider range or lower gain at the camera, or export raw counts: what is "
            "clipped looks alike",
        ),
    ]
