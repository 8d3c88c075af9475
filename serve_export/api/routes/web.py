"""`/web/`: the files with which a page guesses by itself, where the export has them."""

import os

from starlette.routing import Mount

from serve_export import layout
from serve_export.api.files import FRESH, Files


def routes(path: str) -> list[Mount]:
    """Makes the route of the web folder of `DIR/<version>`, if there is one here."""
    folder = layout.join(path, layout.WEB)
    if not os.path.isdir(folder):
        return []
    # Fresh, as a page would else mix the files of two exports.
    return [Mount("/web", Files(FRESH, directory=folder))]
