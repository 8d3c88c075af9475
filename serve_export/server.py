"""Answers drawings over HTTP.

    python -m serve_export.server    the package's own model, in a browser
    python -m serve_export.server --export_dir=exports/rnn --port=8080
    curl localhost:8080/v1/predict -H 'content-type: application/json' \\
      -d '{"drawing": [[[10, 90, 90], [20, 20, 80]]], "top_k": 3}'

/docs lists the requests. A LiteRT export is served without TensorFlow.
"""

import contextlib
import socket
import sys
import threading
import webbrowser

from absl import flags

from pipeline import cli
from serve_export.api.settings import Settings
from serve_export.drawings_store import DrawingsStore
from serve_export.predictor import AUTO, RUNTIMES, Predictor

SHUTDOWN_SECONDS = 10
"""What is under way when the server is told to stop has so long to come to its end."""


def _define_flags() -> None:
    flags.DEFINE_string(
        "export_dir",
        None,
        "An export, or the folder of its versions; without it the package's own model.",
    )
    flags.DEFINE_string("host", "127.0.0.1", "Address to listen on; 0.0.0.0 for all.")
    flags.DEFINE_integer("port", 8080, "Port to listen on; 0 for a free one.", 0, 65535)
    flags.DEFINE_bool(
        "open",
        None,
        "Open the page in a browser; if not said, where no --export_dir is given and "
        "stdout is a terminal.",
    )
    flags.DEFINE_enum(
        "runtime",
        AUTO,
        [AUTO, *RUNTIMES],
        "What runs the model; auto takes LiteRT where the export has it.",
    )
    flags.DEFINE_string(
        "drawings_dir",
        None,
        "Keep drawings here, local or gs://, that people agreed to have kept.",
    )
    cli.define_fields(Settings)


def main() -> None:
    """Serves as the flags say, until interrupted."""
    values = flags.FLAGS
    uvicorn = cli.import_extra("uvicorn", "serve")
    api = cli.import_extra("serve_export.api.app", "serve")
    settings = cli.fields_from_flags(Settings)
    # Its lanes are forked: that is before a store may load Beam.
    predictor = Predictor(values.export_dir, values.runtime)
    service = api.Service(predictor, settings)
    store = None
    if values.drawings_dir:
        store = DrawingsStore(values.drawings_dir, settings.drawings_cap_mb * 10**6)
    app = api.make_app(service, settings, store)
    with _listen(values.host, values.port) as listening:
        host, port = listening.getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        _greet(f"http://{host}:{port}", len(predictor.classes))
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def _greet(address: str, words: int) -> None:
    """Says where it serves; opens the page if that is wanted."""
    print(f"serving on {address}", flush=True)
    if flags.FLAGS.export_dir is None:
        print(f"the model that came with the package: {words} words", flush=True)
    if _is_to_open():
        page = (f"{address}/",)
        threading.Thread(target=webbrowser.open, args=page, daemon=True).start()


def _is_to_open() -> bool:
    """Whether a person waits for the page, who has a window to see it in."""
    values = flags.FLAGS
    if values.open is not None:
        return values.open
    if values.export_dir is not None or not sys.stdout.isatty():
        return False
    try:
        # A browser in the terminal would take it from us.
        return type(webbrowser.get()) is not webbrowser.GenericBrowser
    except webbrowser.Error:
        return False


def run() -> None:
    """Entry point of `quickdraw-serve`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
