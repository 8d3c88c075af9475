"""What a server allows; each field is a flag of `serve_export.server`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Settings:
    """Limits, so that nobody's request is at the cost of the others.

    Raises:
      ValueError: a limit that lets nothing through.
    """

    max_bytes: int = dataclasses.field(
        default=1 << 20, metadata={"help": "Largest body of a request."}
    )
    max_points: int = dataclasses.field(
        default=10_000, metadata={"help": "Most points of a drawing, as it comes."}
    )
    max_strokes: int = dataclasses.field(
        default=1_000, metadata={"help": "Most strokes of a drawing."}
    )
    max_ink: int = dataclasses.field(
        default=40_000,
        metadata={
            "help": "Longest way of the pen, in pixels of a box of 255: an ordinary "
            "drawing has 1,000, the longest of 100,000 had 36,000."
        },
    )
    max_waiting: int = dataclasses.field(
        default=256,
        metadata={"help": "Requests that may wait; who comes then is sent away (429)."},
    )
    rate_limit: float = dataclasses.field(
        default=0.0,
        metadata={"help": "Requests per second and address, in the long run; 0: any."},
    )
    drawings_cap_mb: int = dataclasses.field(
        default=1_000, metadata={"help": "Most that --drawings_dir may hold, in MB."}
    )
    allow_origins: tuple[str, ...] = dataclasses.field(
        default=(),
        metadata={"help": "Sites whose pages may ask (CORS), by comma; * for any."},
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, int) and value < 1:
                raise ValueError(f"{field.name} must be ≥ 1. Received: {value}")
        if not 0 <= self.rate_limit < float("inf"):
            raise ValueError(f"rate_limit must be ≥ 0. Received: {self.rate_limit}")
