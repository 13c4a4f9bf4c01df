"""Moved: an ablation is a study, and tools/study.py trains and compares it."""

import sys

sys.exit(
    "error: tools/ablate.py is now `python tools/study.py compare STUDY`, and configs/ablations/"
    "retina.py is configs/studies/retina_ablation.py; an own file writes a variant as "
    "'name': dict(options={…}), see docs/recipes.md"
)
