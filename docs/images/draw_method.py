"""Draw method_gradients.png of docs/method.md from the losses' own gradients.

Example: python docs/images/draw_method.py
"""

from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from mmthermal.functional.fbeta import fbeta_loss
from mmthermal.functional.focal import focal_loss
from mmthermal.functional.means import geometric_mean
from mmthermal.functional.ranking import ap_loss

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # after the choice of backend

BLUE, ORANGE, GREY, GREEN = "#2563eb", "#ea580c", "#6b7280", "#16a34a"


def slope(loss: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """Derivative of the sum of a loss by each element of its input."""
    point = at.clone().requires_grad_()
    loss(point).sum().backward()
    assert point.grad is not None
    return point.grad


def focal(axes: Axes) -> None:
    """Gradient of the focal terms by the logit."""
    x = torch.linspace(-7, 7, 400, dtype=torch.float64)
    p = x.sigmoid()
    for target, colour, text in ((1.0, BLUE, "positive"), (0.0, ORANGE, "negative")):
        column = torch.full_like(x, target)

        def loss(z: Tensor, column: Tensor = column) -> Tensor:
            return focal_loss(z[:, None], column[:, None], alpha=0.25, gamma=2.0)

        axes.plot(p, slope(loss, x).abs(), color=colour, label=text)
    axes.set(
        title="focal, α = 0.25, γ = 2:\nthe nearer to its target, the less",
        xlabel="p",
        ylabel="|∂L / ∂logit|",
    )


def f1(axes: Axes) -> None:
    """Gradient of soft F1 by p of one positive, beside that of focal."""
    p = torch.linspace(0.01, 0.99, 200, dtype=torch.float64)
    others = torch.tensor([[0.5]] * 60, dtype=torch.float64)
    ones = torch.ones(61, 1, dtype=torch.float64)

    def one(value: Tensor) -> Tensor:
        return fbeta_loss(torch.cat([value.reshape(1, 1), others]), ones)

    linear = torch.stack([slope(one, value) for value in p]).abs()

    def proper(value: Tensor) -> Tensor:
        return focal_loss(value.logit()[:, None], torch.ones_like(value)[:, None], alpha=0.25)

    by_p = slope(proper, p).abs()
    axes.plot(p, by_p / by_p[100], color=BLUE, label="focal")
    axes.plot(p, linear / linear[100], color=GREEN, label="soft F1")
    axes.set(
        title="one positive among 61: soft F1\npulls all alike, focal the low ones",
        xlabel="p",
        ylabel="|∂L / ∂p|, 1 at p = 0.5",
        ylim=(0, 5),
    )


def mean(axes: Axes) -> None:
    """Slope of the geometric means by the side that is small."""
    a = torch.logspace(-4, 0, 200, dtype=torch.float64)
    b = torch.tensor(0.2, dtype=torch.float64)
    for shift, colour in ((0.01, "#93c5fd"), (0.1, BLUE), (1.0, "#1e3a8a")):

        def shifted(z: Tensor, shift: float = shift) -> Tensor:
            return geometric_mean(z, b.expand_as(z), mean="shifted", shift=shift)

        axes.plot(a, slope(shifted, a), color=colour, label=f"shifted, c = {shift:g}")
    axes.plot(
        a,
        slope(lambda z: geometric_mean(z, b.expand_as(z), mean="paper"), a),
        color=ORANGE,
        label="paper",
    )
    axes.axhline(0.5, color=GREY, lw=0.8, ls=":")
    axes.set(
        title="slope of g(a, b) by a, at b = 0.2:\nthe paper's grows without bound",
        xscale="log",
        xlabel="a",
        ylabel="∂g / ∂a",
        ylim=(0, 5),
    )


def pull(axes: Axes) -> None:
    """Relative pull on both sides as all scores go to background."""
    share = np.linspace(-4, 0, 200)
    p = torch.tensor(10.0**share)  # score of positives and negatives alike
    logit = p.logit()[:, None]
    cls_pos = focal_loss(logit, torch.ones_like(logit)).squeeze(1)
    cls_neg = focal_loss(logit, torch.zeros_like(logit)).squeeze(1)
    keep = p < 0.99
    for kind, colour in (("paper", ORANGE), ("shifted", BLUE)):
        value = geometric_mean(cls_pos, cls_neg, mean=kind)
        axes.plot(p[keep], value[keep], color=colour, label=kind)
    axes.set(
        title="every score equal to p:\nthe paper's mean is least at p = 0",
        xscale="log",
        xlabel="p of positives and negatives",
        ylabel="g(cls_pos, cls_neg)",
    )


def rank(axes: Axes) -> None:
    """Gradient of the ranked F term by the gap between a negative and a positive."""
    gap = torch.linspace(-4, 4, 401, dtype=torch.float64)
    positive, label = torch.zeros(1, 1, dtype=torch.float64), torch.tensor([0])

    def loss(z: Tensor) -> Tensor:
        return torch.stack([ap_loss(positive, label, n.reshape(1, 1)) for n in z])

    value = loss(gap)
    axes.plot(gap, slope(loss, gap), color=GREEN, label="update")
    axes.plot(gap, torch.gradient(value, spacing=(gap,))[0], color=GREY, ls=":", label="derivative")
    axes.set(
        title="ranked F term, one positive, one negative:\nstrongest where the order is worst",
        xlabel="logit of the negative − of the positive",
        ylabel="∂L_F / ∂logit of the negative",
    )


def balance(axes: Axes) -> None:
    """Slope of L_combined by the F term: it depends on how far both have come."""
    term = torch.linspace(0.01, 1, 200, dtype=torch.float64)
    for classification, colour in ((0.4, "#93c5fd"), (0.15, BLUE), (0.05, "#1e3a8a")):
        at = torch.tensor(classification, dtype=torch.float64)

        def combined(z: Tensor, at: Tensor = at) -> Tensor:
            return geometric_mean(at.expand_as(z), z, mean="shifted", shift=0.1)

        label = f"L_cls = {classification:g}"
        axes.plot(term, slope(combined, term), color=colour, label=label)
    end = 0.5 * np.sqrt((0.05 + 0.1) / (0.3 + 0.1))
    axes.plot([0.3], [end], "o", color=ORANGE, label=f"late in training: {end:.2f}")
    axes.set(
        title="slope of L_combined by L_F:\na smaller term has a larger slope",
        xlabel="L_F",
        ylabel="∂L_combined / ∂L_F",
        ylim=(0, 1.1),
    )


def main() -> None:
    """Draw the panels, in the order in which the page speaks of them."""
    panels = (focal, f1, rank, pull, mean, balance)
    figure, axes = plt.subplots(2, 3, figsize=(11.5, 7), layout="constrained")
    for letter, draw, panel in zip("abcdef", panels, axes.flat, strict=True):
        draw(panel)
        panel.legend(frameon=False, fontsize=9)
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_title(f"({letter}) {panel.get_title()}", fontsize=10.5)
    target = Path(__file__).with_name("method_gradients.png")
    figure.savefig(target, dpi=110)
    print(target)


if __name__ == "__main__":
    main()
