"""The settings of a run: validated, frozen, kept in `<workdir>/config.json`."""

import dataclasses
import json
import math

MODELS = ("rnn", "cnn", "mlp")
BITMAP_MODELS = ("cnn", "mlp")
PRECISIONS = ("auto", "float32", "bfloat16")
OPTIMIZERS = ("adadelta", "adagrad", "adam", "adamw", "lion", "nadam", "rmsprop", "sgd")

MIDDLE_DRAWINGS, MIDDLE_EPOCHS, MOST_EPOCHS = 40_000, 25, 40
"""A data set of middle size, the epochs it asks for, and those the smallest does."""


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """What decides a run, beside the data.

    Each field is a flag of `train.py`; `metadata["help"]` is what `--help` says.

    Raises:
      ValueError: a setting that cannot be, with what was received.
    """

    model: str = dataclasses.field(
        default="rnn",
        metadata={
            "help": "rnn reads the strokes; cnn and mlp read a 28×28 bitmap of them.",
            "choices": MODELS,
        },
    )
    epochs: int = dataclasses.field(
        default=0,
        metadata={
            "help": "How often the model sees every training drawing, at most. 0: as "
            "the size of the data set asks for, from 40 for 15,000 drawings or fewer "
            "by 25 for 40,000 to 5 for a million."
        },
    )
    patience: int = dataclasses.field(
        default=0,
        metadata={
            "help": "Stop when so many epochs in a row brought no better validation "
            "top-1. 0: half of the epochs, as the last ones bring the most."
        },
    )
    batch_size: int = dataclasses.field(
        default=128,
        metadata={
            "help": "Drawings per training step, of all machines and GPUs together."
        },
    )
    optimizer: str = dataclasses.field(
        default="adamw",
        metadata={
            "help": "How the weights follow the gradient.",
            "choices": OPTIMIZERS,
        },
    )
    learning_rate: float = dataclasses.field(
        default=2e-3,
        metadata={
            "help": "Size of a step at its largest: it rises over the first steps and "
            "then falls to zero along a cosine."
        },
    )
    weight_decay: float = dataclasses.field(
        default=1e-2,
        metadata={"help": "How strongly adamw pulls the weights towards zero."},
    )
    clip_norm: float = dataclasses.field(
        default=1.0, metadata={"help": "Longest gradient that is let through."}
    )
    label_smoothing: float = dataclasses.field(
        default=0.05,
        metadata={"help": "Share of the target given to all classes alike."},
    )
    dropout: float = dataclasses.field(
        default=0.2,
        metadata={"help": "Share of the features that a layer hides in training."},
    )
    augment: bool = dataclasses.field(
        default=True,
        metadata={
            "help": "Mirror, turn, stretch and jitter the training drawings at random, "
            "and cut some short; bitmaps stay as they are."
        },
    )
    partial: float = dataclasses.field(
        default=0.15,
        metadata={
            "help": "With --augment: share of the training drawings that are cut "
            "short, so that drawings in progress are known too."
        },
    )
    balance: float = dataclasses.field(
        default=0.5,
        metadata={
            "help": "How much classes with few drawings are favoured: 0 leaves them as "
            "rare as they are, 1 makes all alike."
        },
    )
    init_from: str = dataclasses.field(
        default="",
        metadata={
            "help": "Workdir of a trained run to begin with, of the same model. Its "
            "classes may be others: words that both know keep what was learnt of them."
        },
    )
    freeze_body: bool = dataclasses.field(
        default=False,
        metadata={
            "help": "With --init_from: train the last layer alone, which is fast and "
            "enough for a handful of drawings."
        },
    )
    precision: str = dataclasses.field(
        default="auto",
        metadata={
            "help": "What the rnn's matrices are multiplied in while it trains; "
            "weights, and the model that comes of it, are float32. auto: bfloat16, "
            "which halves the digits and the time, where the hardware multiplies it: "
            "some CPUs since 2020, NVIDIA's GPUs since the A100, TPUs.",
            "choices": PRECISIONS,
        },
    )
    seed: int = dataclasses.field(
        default=0, metadata={"help": "Decides all that is random."}
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            choices = field.metadata.get("choices")
            if choices and value not in choices:
                raise ValueError(
                    f"{field.name} must be one of {', '.join(choices)}. "
                    f"Received: {value!r}"
                )
        self._require("epochs", self.epochs >= 0, "≥ 0")
        self._require("patience", self.patience >= 0, "≥ 0")
        self._require("batch_size", self.batch_size >= 1, "≥ 1")
        for name in ("learning_rate", "clip_norm"):
            self._require(name, 0 < getattr(self, name) < float("inf"), "> 0")
        self._require("weight_decay", 0 <= self.weight_decay < float("inf"), "≥ 0")
        for name in ("dropout", "label_smoothing"):
            self._require(name, 0 <= getattr(self, name) < 1, "≥ 0 and < 1")
        for name in ("partial", "balance"):
            self._require(name, 0 <= getattr(self, name) <= 1, "≥ 0 and ≤ 1")
        if self.freeze_body and not self.init_from:
            raise ValueError("freeze_body needs init_from: a run to take the body of")
        if self.precision == "bfloat16" and self.model != "rnn":
            raise ValueError(f"precision bfloat16 is for the rnn, not the {self.model}")
        self._require("seed", 0 <= self.seed < 2**32, "≥ 0 and < 2³²")

    def _require(self, name: str, holds: bool, what: str) -> None:
        if not holds:
            raise ValueError(f"{name} must be {what}. Received: {getattr(self, name)}")

    def for_drawings(self, count: int) -> "TrainConfig":
        """Settles the epochs for a training split of so many drawings.

        As the square root of their number grows, their sights grow and epochs fall.
        """
        if self.epochs:
            return self
        epochs = round(MIDDLE_EPOCHS * math.sqrt(MIDDLE_DRAWINGS / max(count, 1)))
        return dataclasses.replace(self, epochs=min(max(epochs, 1), MOST_EPOCHS))

    def waits(self) -> int:
        """How many epochs without a better validation top-1 end the run.

        While the rate is high, validation goes up and down: a run that is stopped then
        never comes to the small steps at the end of the cosine, which bring the most.
        """
        return self.patience or math.ceil(self.epochs / 2)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, source: str) -> "TrainConfig":
        """Reads what `to_json` wrote; ValueError names `source` where it cannot."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{source} is damaged or of another version: {error}")

    def differences(self, other: "TrainConfig") -> list[str]:
        """Names the settings that differ.

        `epochs` aside, as a run may go on longer, and a `precision` left to us.
        """
        mine, theirs = dataclasses.asdict(self), dataclasses.asdict(other)
        return [
            f"--{name} was {mine[name]}, now {theirs[name]}"
            for name in mine
            if mine[name] != theirs[name]
            and name != "epochs"
            and (name, theirs[name]) != ("precision", "auto")
        ]
