"""Runs `python -m pipeline.convert`."""

from pipeline.convert.command import run

if __name__ == "__main__":
    run()
