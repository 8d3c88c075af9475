"""The settings of a run: validated, immutable, stored in `<workdir>/config.json`."""

import dataclasses
import json
import math

MODELS = ("rnn", "cnn", "resnet", "mlp")
BITMAP_MODELS = ("cnn", "resnet", "mlp")
BFLOAT16_MODELS = ("rnn", "resnet")
PRECISIONS = ("auto", "float32", "bfloat16")
OPTIMIZERS = ("adadelta", "adagrad", "adam", "adamw", "lion", "nadam", "rmsprop", "sgd")

REFERENCE_DRAWINGS, REFERENCE_EPOCHS, MAX_EPOCHS = 40_000, 25, 40
"""The default number of epochs is `REFERENCE_EPOCHS` for `REFERENCE_DRAWINGS`,
proportional to 1/√drawings, and at most `MAX_EPOCHS`."""


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """All settings that influence the weights of a run, apart from the data set.

    Each field is a flag of `train.py`; `metadata["help"]` is its description.

    Raises:
      ValueError: a setting is invalid; the message includes the value received.
    """

    model: str = dataclasses.field(
        default="rnn",
        metadata={
            "help": "Network. rnn reads strokes, the others read a 28×28 bitmap.",
            "choices": MODELS,
        },
    )
    width: float = dataclasses.field(
        default=1.0,
        metadata={
            "help": "Size of the rnn: its channels and units are multiplied by this, "
            "and rounded to multiples of 16."
        },
    )
    epochs: int = dataclasses.field(
        default=0,
        metadata={
            "help": "Maximum number of epochs. 0: chosen by the size of the data set, "
            "from 40 for 15,000 drawings or fewer, through 25 for 40,000, to 5 for a "
            "million."
        },
    )
    patience: int = dataclasses.field(
        default=0,
        metadata={
            "help": "Stop early after this many epochs without a better validation "
            "top-1. 0: half of --epochs, because the last epochs improve the most."
        },
    )
    batch_size: int = dataclasses.field(
        default=128,
        metadata={"help": "Drawings per step, summed over all machines and GPUs."},
    )
    optimizer: str = dataclasses.field(
        default="adamw", metadata={"help": "Optimizer.", "choices": OPTIMIZERS}
    )
    learning_rate: float = dataclasses.field(
        default=2e-3,
        metadata={
            "help": "Peak learning rate: linear warmup, then cosine decay to zero."
        },
    )
    weight_decay: float = dataclasses.field(
        default=1e-2, metadata={"help": "Weight decay of adamw."}
    )
    clip_norm: float = dataclasses.field(
        default=1.0, metadata={"help": "Global-norm gradient clipping."}
    )
    label_smoothing: float = dataclasses.field(
        default=0.05,
        metadata={"help": "Share of the target distributed over all classes."},
    )
    dropout: float = dataclasses.field(default=0.2, metadata={"help": "Dropout rate."})
    augment: bool = dataclasses.field(
        default=True,
        metadata={
            "help": "Randomly mirror, rotate, stretch, shear and jitter the training "
            "drawings, and truncate some. Bitmaps are not augmented."
        },
    )
    partial: float = dataclasses.field(
        default=0.25,
        metadata={
            "help": "With --augment: share of the training drawings that are "
            "truncated, so that the model also recognizes unfinished drawings."
        },
    )
    balance: float = dataclasses.field(
        default=0.5,
        metadata={
            "help": "Strength of class balancing: 0 keeps the frequencies of the data "
            "set, 1 treats all classes alike."
        },
    )
    init_from: str = dataclasses.field(
        default="",
        metadata={
            "help": "Workdir of a trained run of the same model, whose weights this "
            "run starts from. The classes may differ: the weights of the last layer "
            "are copied for the words that both runs have."
        },
    )
    freeze_body: bool = dataclasses.field(
        default=False,
        metadata={
            "help": "With --init_from: train the last layer only. This is fast and "
            "sufficient for a few drawings per class."
        },
    )
    teachers: str = dataclasses.field(
        default="",
        metadata={
            "help": "Workdirs of trained runs with the same classes, comma-separated: "
            "the model also learns the mean of their probabilities (distillation)."
        },
    )
    distillation: float = dataclasses.field(
        default=0.6,
        metadata={"help": "With --teachers: their share of the loss."},
    )
    precision: str = dataclasses.field(
        default="auto",
        metadata={
            "help": "Precision of rnn and resnet in training; weights and trained "
            "models are float32. auto: bfloat16 where the hardware supports it (TPUs, "
            "NVIDIA GPUs since the A100, CPUs with AVX512-BF16 or AMX), which takes "
            "about half of the time; else float32.",
            "choices": PRECISIONS,
        },
    )
    seed: int = dataclasses.field(
        default=0, metadata={"help": "Seed of everything that is random."}
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            choices = field.metadata.get("choices")
            if choices and value not in choices:
                raise ValueError(
                    f"--{field.name} must be one of {', '.join(choices)}. "
                    f"Received: {value!r}"
                )
        self._check("width", 0.1 <= self.width <= 10, "≥ 0.1 and ≤ 10")
        if self.width != 1 and self.model != "rnn":
            raise ValueError(
                "--width is supported by --model=rnn only. "
                f"Received: --model={self.model}"
            )
        self._check("epochs", self.epochs >= 0, "≥ 0")
        self._check("patience", self.patience >= 0, "≥ 0")
        self._check("batch_size", self.batch_size >= 1, "≥ 1")
        for name in ("learning_rate", "clip_norm"):
            self._check(name, 0 < getattr(self, name) < math.inf, "> 0 and finite")
        self._check("weight_decay", 0 <= self.weight_decay < math.inf, "≥ 0 and finite")
        for name in ("dropout", "label_smoothing"):
            self._check(name, 0 <= getattr(self, name) < 1, "≥ 0 and < 1")
        for name in ("partial", "balance", "distillation"):
            self._check(name, 0 <= getattr(self, name) <= 1, "≥ 0 and ≤ 1")
        if self.freeze_body and not self.init_from:
            raise ValueError("--freeze_body requires --init_from")
        if self.precision == "bfloat16" and self.model not in BFLOAT16_MODELS:
            raise ValueError(
                "--precision=bfloat16 is supported by --model="
                f"{' and --model='.join(BFLOAT16_MODELS)} only. "
                f"Received: --model={self.model}"
            )
        self._check("seed", 0 <= self.seed < 2**32, "≥ 0 and < 2³²")

    def _check(self, name: str, is_valid: bool, requirement: str) -> None:
        if not is_valid:
            value = getattr(self, name)
            raise ValueError(f"--{name} must be {requirement}. Received: {value}")

    def resolve_epochs(self, num_drawings: int) -> "TrainConfig":
        """Replaces `epochs=0` by the default for a training split of this size."""
        if self.epochs:
            return self
        scale = math.sqrt(REFERENCE_DRAWINGS / max(num_drawings, 1))
        epochs = min(max(round(REFERENCE_EPOCHS * scale), 1), MAX_EPOCHS)
        return dataclasses.replace(self, epochs=epochs)

    @property
    def resolved_patience(self) -> int:
        """Epochs without a better validation top-1 after which training stops.

        While the learning rate is high, validation fluctuates: a run that stops then
        misses the small steps at the end of the cosine, which improve it the most.
        """
        return self.patience or math.ceil(self.epochs / 2)

    def to_json(self) -> str:
        """Returns the content of `config.json`."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, source: str) -> "TrainConfig":
        """Parses the content of `config.json`.

        Args:
          text: as `to_json` returns it.
          source: path of the file, for the error message.

        Raises:
          ValueError: the text is damaged, or written by another version.
        """
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{source} is damaged or of another version: {error}")

    def describe_differences(self, other: "TrainConfig") -> list[str]:
        """Describes the settings that differ, as flags.

        `epochs` may differ, because a run can be continued; and so may
        `precision="auto"`, because it is resolved when the run starts.
        """
        old, new = dataclasses.asdict(self), dataclasses.asdict(other)
        return [
            f"--{name} was {old[name]}, now {new[name]}"
            for name in old
            if old[name] != new[name]
            and name != "epochs"
            and (name, new[name]) != ("precision", "auto")
        ]
