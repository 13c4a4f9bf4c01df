"""Checks shared by the functional layer: one wording for each kind of bad input."""

import difflib
import math
from collections.abc import Collection, Iterable, Sequence

import torch
from torch import Tensor


class InputError(ValueError):
    """What a person gave is wrong, and the message says all: tools print it without a traceback."""


def check_choice(name: str, value: object, choices: Collection[object]) -> None:
    """Raise if a setting is none of the allowed ones.

    Args:
        name: the setting's name, as the user spelt it.
        value: what was given.
        choices: what is allowed.

    Raises:
        ValueError: naming the setting, its value and the choices.
    """
    if value not in choices:
        raise ValueError(f"{name}={value!r}: choose one of {', '.join(map(repr, choices))}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for a misspelt word.

    Args:
        word: as the user spelt it.
        known: what is allowed.

    Returns:
        ``did you mean 'this'?``, or nothing where no word comes near.
    """
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else ""


def check_range(
    name: str,
    value: object,
    low: float = float("-inf"),
    high: float = float("inf"),
    *,
    open_low: bool = False,
    open_high: bool = False,
    finite: bool = True,
) -> None:
    """Raise if a numeric setting is no number or lies outside its range.

    Args:
        name: the setting's name, as the user spelt it.
        value: what was given.
        low: smallest value allowed.
        high: largest value allowed.
        open_low: whether ``low`` itself is excluded.
        open_high: whether ``high`` itself is excluded.
        finite: whether infinity is excluded.

    Raises:
        TypeError: if the value is no real number.
        ValueError: if it is NaN or outside the range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}={value!r}: a number is needed, not {type(value).__name__}")
    above = low < value if open_low else low <= value
    inside = above and (value < high if open_high else value <= high)
    if not inside or (finite and math.isinf(value)):
        left = "(" if open_low else "["
        right = ")" if open_high or (finite and math.isinf(high)) else "]"
        raise ValueError(f"{name}={value!r}: must lie in {left}{low:g}, {high:g}{right}")


def check_ratio(name: str, ratio: float | str) -> float:
    """Read a number of negatives per positive.

    Args:
        name: the setting's name.
        ratio: a number >= 0, or ``'all'``, which unlike ``float('inf')`` a config can be written
            to a file with and read again.

    Returns:
        the number, infinity for ``'all'``.

    Raises:
        TypeError: if it is neither.
        ValueError: if it is NaN or negative.
    """
    if ratio == "all":
        return math.inf
    if isinstance(ratio, str):
        raise TypeError(f"{name}={ratio!r}: a number is needed, not str, or 'all'")
    check_range(name, ratio, 0, finite=False)
    return float(ratio)


def check_pair(name: str, pair: Sequence[float], *, open_low: bool = False) -> tuple[float, float]:
    """Raise unless a setting is a smallest and a largest value, neither of them negative.

    Args:
        name: the setting's name.
        pair: what was given.
        open_low: whether 0 is excluded.

    Returns:
        the pair.

    Raises:
        TypeError: if one is no number.
        ValueError: if these are not two, or out of range or order.
    """
    if not isinstance(pair, Sequence) or len(pair) != 2:
        raise ValueError(f"{name}={pair!r}: give two numbers, the smallest and the largest")
    check_range(name, pair[0], 0, open_low=open_low)
    check_range(name, pair[1], pair[0])
    return pair[0], pair[1]


def check_count(name: str, value: object, low: int = 0) -> None:
    """Raise if a setting that counts something is no integer of at least ``low``.

    Args:
        name: the setting's name, as the user spelt it.
        value: what was given.
        low: smallest count allowed.

    Raises:
        TypeError: if the value is no integer.
        ValueError: if it is smaller than ``low``.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}={value!r}: an integer is needed, not {type(value).__name__}")
    if value < low:
        raise ValueError(f"{name}={value!r}: must be at least {low}")


def check_finite(tensors: Iterable[tuple[str, Tensor]], *, read: Tensor | None = None) -> list[int]:
    """Raise if any tensor holds NaN or infinite values.

    One float32 sum per tensor decides, so that nothing as large as the tensor is allocated; the
    values are counted only if that sum is not finite.

    Args:
        tensors: pairs of a name for the message and a floating tensor of any shape.
        read: (K,), integers to bring to the host by the same transfer, since each makes a GPU and
            the host wait for each other; None for none.

    Returns:
        The K integers.

    Raises:
        FloatingPointError: naming each bad tensor, the count of its non-finite values and its
            size.
    """
    pairs = [(name, tensor.detach()) for name, tensor in tensors]
    if not pairs:
        return [] if read is None else read.tolist()
    sums = torch.stack([t.sum(dtype=torch.promote_types(t.dtype, torch.float32)) for _, t in pairs])
    flag = torch.isfinite(sums).all().long().reshape(1)
    finite, *integers = (flag if read is None else torch.cat([flag, read])).tolist()
    if finite:
        return integers
    bad = [(name, int((~torch.isfinite(t)).sum()), t.numel()) for name, t in pairs]
    found = "; ".join(f"{name}: {count} of {total}" for name, count, total in bad if count)
    if found:  # else a sum of finite values overflowed, which is no fault of the values
        raise FloatingPointError(
            f"non-finite values (NaN or inf) in {found}. Lower the learning rate, clip the "
            "gradients, or look for broken images and boxes in the batch."
        )
    return integers


def check_rows(name: str, tensor: Tensor, rows: int, dims: int) -> None:
    """Raise if a tensor has not the expected number of dimensions and rows.

    Args:
        name: the argument's name.
        tensor: what was given.
        rows: expected size of the first dimension.
        dims: expected number of dimensions.

    Raises:
        ValueError: giving the shape that came and the one that was expected.
    """
    if tensor.dim() != dims or tensor.size(0) != rows:
        rest = "".join(", *" for _ in range(dims - 1)) or ","
        raise ValueError(f"{name} has shape {tuple(tensor.shape)}, expected ({rows}{rest})")


def check_device(device: str) -> None:
    """Raise if torch has no such device.

    Args:
        device: such as ``cuda:0`` or ``cpu``.

    Raises:
        InputError: naming it and what there is.
    """
    try:
        kind = torch.device(device)
    except RuntimeError:
        raise InputError(f"device={device!r}: write cpu, cuda or cuda:0") from None
    count = torch.cuda.device_count()
    if kind.type == "cuda" and (kind.index or 0) >= count:
        there = f"cuda:0 to cuda:{count - 1}" if count else "no CUDA device"
        raise InputError(f"device={device!r}: torch sees {there}; cpu works always")
