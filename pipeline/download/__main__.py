"""Runs `python -m pipeline.download`."""

from pipeline.download.command import run

if __name__ == "__main__":
    run()
