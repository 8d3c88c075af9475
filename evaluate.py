"""Evaluates trained runs; see `rnn_model/evaluate_command.py`."""

from rnn_model.evaluate_command import run

if __name__ == "__main__":
    run()
