"""What all pages of HTML share: templates that escape every value, pictures within the page."""

import base64

from jinja2 import Environment, PackageLoader, StrictUndefined


def templates(package: str) -> Environment:
    """The templates of a subpackage; every value is escaped, one that is missing is an error.

    Args:
        package: such as ``mmthermal.studies``, with a folder ``templates``.
    """
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def data_uri(encoded: bytes, kind: str = "png") -> str:
    """A picture as a data URI.

    Args:
        encoded: content of an image file.
        kind: its format, as MIME names it.
    """
    return f"data:image/{kind};base64,{base64.b64encode(encoded).decode('ascii')}"
