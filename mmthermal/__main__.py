"""A tool of mmthermal by its name, with or without a clone.

Example: python -m mmthermal train retina_composite --work-dir out
"""

import runpy
import sys

from mmthermal.common.installed import ROOT

# They work on a clone, or say where a tool has gone.
_NOT_LISTED = ("ablate", "make_results", "setup_env", "try_versions")


def main(arguments: list[str]) -> None:
    """Run ``tools/NAME.py`` with the arguments after its name.

    Args:
        arguments: of the command line.

    Raises:
        SystemExit: without the name of a tool, listing them; or as the tool ends.
    """
    files = sorted((ROOT / "tools").glob("*.py"))
    tools = {file.stem: str(file) for file in files if file.stem not in _NOT_LISTED}
    if not arguments or arguments[0] not in tools:
        asked = arguments in (["-h"], ["--help"])
        lines = [f"  {name:20}{_first_line(file)}" for name, file in tools.items()]
        print(
            "usage: python -m mmthermal TOOL [ARGUMENTS]\n\ntools:",
            *lines,
            f"configs, by path or name: {ROOT / 'configs'}",
            sep="\n",
            file=sys.stdout if asked else sys.stderr,
        )
        raise SystemExit(0 if asked else 2)
    sys.argv = [tools[arguments[0]], *arguments[1:]]
    runpy.run_path(sys.argv[0], run_name="__main__")


def _first_line(file: str) -> str:
    """What a tool does, from the first line of its file."""
    with open(file, encoding="utf-8") as lines:
        return next(lines).strip().strip('"')


if __name__ == "__main__":
    main(sys.argv[1:])
