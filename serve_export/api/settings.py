"""Limits of the server; each field is a flag of `serve_export.server`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class ServerSettings:
    """Limits that keep one client from using up what others need.

    Raises:
      ValueError: a limit that would refuse every request.
    """

    max_bytes: int = dataclasses.field(
        default=1 << 20, metadata={"help": "Largest request body, in bytes."}
    )
    max_points: int = dataclasses.field(
        default=10_000, metadata={"help": "Most points in one drawing."}
    )
    max_strokes: int = dataclasses.field(
        default=1_000, metadata={"help": "Most strokes in one drawing."}
    )
    max_ink: int = dataclasses.field(
        default=40_000,
        metadata={
            "help": "Longest total length of a drawing's strokes, in pixels, once it "
            "is scaled to 255 × 255. A typical drawing has 1,000; the longest of "
            "100,000 has 36,000."
        },
    )
    max_waiting: int = dataclasses.field(
        default=256,
        metadata={"help": "Most requests that wait for a worker; more get 503."},
    )
    max_connections: int = dataclasses.field(
        default=2_000,
        metadata={"help": "Most open connections; more get 503 and are closed."},
    )
    rate_limit: float = dataclasses.field(
        default=0.0,
        metadata={
            "help": "Requests per second and client address, with bursts of 5 seconds' "
            "worth; more get 429. 0 for no limit."
        },
    )
    drawings_cap_mb: int = dataclasses.field(
        default=1_000,
        metadata={"help": "Largest total size of --drawings_dir, in MB."},
    )
    allow_origins: tuple[str, ...] = dataclasses.field(
        default=(),
        metadata={
            "help": "Comma-separated origins whose pages may use the API (CORS); * for "
            "all."
        },
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, int) and value < 1:
                raise ValueError(f"{field.name} must be ≥ 1. Received: {value}")
        if not 0 <= self.rate_limit < float("inf"):
            raise ValueError(f"rate_limit must be ≥ 0. Received: {self.rate_limit}")
