"""Tries many settings of a run; see `rnn_model/sweep/command.py`."""

from rnn_model.sweep.command import run

if __name__ == "__main__":
    run()
