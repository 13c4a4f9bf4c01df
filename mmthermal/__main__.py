"""A tool of mmthermal by its name, with or without a clone.

Example: python -m mmthermal train retina_composite --work-dir out
"""

import runpy
import sys

from mmthermal.common.installed import ROOT

# They work on a clone.
_OF_THE_CLONE = ("setup_env", "make_results", "try_versions")


def main(arguments: list[str]) -> None:
    """Run ``tools/NAME.py`` with the arguments after its name.

    Args:
        arguments: of the command line.

    Raises:
        SystemExit: without the name of a tool, listing them; or as the tool ends.
    """
    files = sorted((ROOT / "tools").glob("*.py"))
    tools = {file.stem: str(file) for file in files if file.stem not in _OF_THE_CLONE}
    if not arguments or arguments[0] not in tools:
        asked = arguments in (["-h"], ["--help"])
        print(
            f"usage: python -m mmthermal TOOL [ARGUMENTS]\n\ntools: {', '.join(tools)}\n"
            f"configs, by path or name: {ROOT / 'configs'}",
            file=sys.stdout if asked else sys.stderr,
        )
        raise SystemExit(0 if asked else 2)
    sys.argv = [tools[arguments[0]], *arguments[1:]]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
