r"""Serves a model and the web page over HTTP.

    python -m serve_export.server    the bundled model, and its page in a browser
    python -m serve_export.server --export_dir=exports/rnn --port=8080
    curl localhost:8080/v1/predict -H 'content-type: application/json' \
      -d '{"drawing": [[[10, 90, 90], [20, 20, 80]]], "top_k": 3}'

The API is documented at /docs. A LiteRT model is served without TensorFlow.
"""

import contextlib
import signal
import socket
import sys
import threading
import webbrowser

from absl import flags

from pipeline import cli
from serve_export.api.settings import ServerSettings

SHUTDOWN_SECONDS = 10
"""Time for requests in progress when the server is stopped."""

BACKLOG = 2048
RUNTIMES = ("auto", "litert", "savedmodel")
ALL_ADDRESSES = ("0.0.0.0", "::")


def _define_flags() -> None:
    flags.DEFINE_string(
        "export_dir",
        None,
        "An export, or the directory of its versions; default: the bundled model.",
    )
    flags.DEFINE_string(
        "host", "127.0.0.1", "Address to listen on; 0.0.0.0 for all interfaces."
    )
    flags.DEFINE_integer("port", 8080, "Port to listen on; 0 for a free one.", 0, 65535)
    flags.DEFINE_bool(
        "open",
        None,
        "Open the page in a browser. Default: if stdout is a terminal and --export_dir "
        "is not given.",
    )
    flags.DEFINE_enum(
        "runtime",
        RUNTIMES[0],
        RUNTIMES,
        "What runs the model; auto prefers LiteRT if the export contains it.",
    )
    flags.DEFINE_string(
        "drawings_dir",
        None,
        "Local directory or gs:// URL for drawings that people agree to contribute.",
    )
    cli.define_fields(ServerSettings)


def main() -> None:
    """Serves until it is interrupted."""
    values = flags.FLAGS
    settings = cli.fields_from_flags(ServerSettings)
    uvicorn = cli.import_extra("uvicorn", "serve")
    app_module = cli.import_extra("serve_export.api.app", "serve")
    http_limits = cli.import_extra("serve_export.api.limits.http_limits", "serve")
    metrics = app_module.ServerMetrics()
    store = None
    if values.drawings_dir:
        drawings_store = cli.import_extra("serve_export.drawings_store", "serve")
        max_bytes = settings.drawings_cap_mb * 10**6
        store = drawings_store.DrawingsStore(values.drawings_dir, max_bytes)
    # First, so that a port in use is known before the workers start. They inherit no
    # socket: the fork server is a new program, without this process's files.
    with _listen(values.host, values.port) as listener:
        workers = app_module.Workers(
            settings, metrics, values.export_dir, values.runtime
        )
        app = app_module.create_app(workers, settings, metrics, store)
        port = listener.getsockname()[1]
        _print_greeting(values.host, port, len(workers.model.classes))
        max_connections = http_limits.raise_file_limit(settings.max_connections)
        config = uvicorn.Config(
            app,
            http=http_limits.LimitedHttpProtocol,
            limit_concurrency=max_connections + 1,
            backlog=BACKLOG,
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        # uvicorn raises the signal again when it has stopped; with its default handler
        # SIGTERM would end this process before the workers are cleaned up.
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def _print_greeting(host: str, port: int, num_words: int) -> None:
    """Prints the addresses of the server; opens the page in a browser on request."""
    local_host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    local_url = _make_url(local_host, port)
    print(f"serving on {local_url}", flush=True)
    if flags.FLAGS.export_dir is None:
        print(f"bundled model: {num_words} words", flush=True)
    if host in ALL_ADDRESSES:
        _print_network_urls(port)
    if _should_open_page():
        page = (f"{local_url}/",)
        threading.Thread(target=webbrowser.open, args=page, daemon=True).start()


def _print_network_urls(port: int) -> None:
    """Prints the URLs that other devices can use, and a QR code of the first."""
    urls = [_make_url(address, port) for address in find_network_addresses()]
    if not urls:
        print("no network address found; other devices cannot connect", flush=True)
        return
    print(f"on other devices of this network: {' '.join(urls)}", flush=True)
    segno = cli.import_extra("segno", "serve")
    if sys.stdout.isatty():
        segno.make(urls[0], micro=False).terminal(compact=True)


def find_network_addresses() -> list[str]:
    """Returns this machine's addresses that other devices can reach, the main first."""
    addresses = []
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
    ):
        probe.connect(("192.0.2.1", 9))  # selects an interface; sends nothing
        addresses.append(probe.getsockname()[0])
    with contextlib.suppress(OSError):
        infos = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        addresses += [info[4][0] for info in infos]
    unique = dict.fromkeys(map(str, addresses))
    return [address for address in unique if not address.startswith(("127.", "0."))]


def _make_url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _should_open_page() -> bool:
    """Returns whether to open the page, which needs a browser with a window."""
    values = flags.FLAGS
    if values.open is not None:
        return values.open
    if values.export_dir is not None or not sys.stdout.isatty():
        return False
    try:
        # A browser inside the terminal would take it over.
        return type(webbrowser.get()) is not webbrowser.GenericBrowser
    except webbrowser.Error:
        return False


def run() -> None:
    """Entry point of `quickdraw-serve`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()
