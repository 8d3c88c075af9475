"""`/web/`: the files with which a page guesses by itself, where the export has them."""

import os

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from serve_export import layout


def routes(path: str) -> list[Mount]:
    """Makes the route of the web folder of `DIR/<version>`, if there is one here."""
    folder = layout.join(path, layout.WEB)
    if not os.path.isdir(folder):
        return []
    return [Mount("/web", StaticFiles(directory=folder))]
