"""Answers drawings over HTTP.

    python -m serve_export.server --export_dir=exports/rnn --port=8080
    curl localhost:8080/v1/predict -H 'content-type: application/json' \\
      -d '{"drawing": [[[10, 90, 90], [20, 20, 80]]], "top_k": 3}'

/docs lists the requests. A LiteRT export is served without TensorFlow.
"""

import contextlib
import socket

from absl import flags

from pipeline import command
from serve_export.api.settings import Settings
from serve_export.drawings_store import DrawingsStore
from serve_export.predictor import AUTO, RUNTIMES, Predictor

SHUTDOWN_SECONDS = 10
"""What is under way when the server is told to stop has so long to come to its end."""


def _define_flags() -> None:
    flags.DEFINE_string("export_dir", None, "An export, or the folder of its versions.")
    flags.DEFINE_string("host", "127.0.0.1", "Address to listen on; 0.0.0.0 for all.")
    flags.DEFINE_integer("port", 8080, "Port to listen on; 0 for a free one.", 0, 65535)
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
    command.define_fields(Settings)


def main() -> None:
    """Serves as the flags say, until interrupted."""
    values = flags.FLAGS
    command.require("export_dir")
    uvicorn = command.import_extra("uvicorn", "serve")
    api = command.import_extra("serve_export.api.app", "serve")
    settings = command.fields_from_flags(Settings)
    # Its lanes are forked: that is before a store may load Beam.
    service = api.Service(Predictor(values.export_dir, values.runtime), settings)
    store = None
    if values.drawings_dir:
        store = DrawingsStore(values.drawings_dir, settings.drawings_cap_mb * 10**6)
    app = api.make_app(service, settings, store)
    with _listen(values.host, values.port) as listening:
        host, port = listening.getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        print(f"serving on http://{host}:{port}", flush=True)
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


def run() -> None:
    """Entry point of `quickdraw-serve`."""
    command.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
