"""Downloads Google's files: the first drawings of each class, or all of them.

command            the classes, their files and the messages
http_transfer      downloads one file and resumes it
drawing_counters   finds the end of the first N drawings in a file
"""

from pipeline.download.command import CLASS_LIST, FORMATS, download, run

__all__ = ["CLASS_LIST", "FORMATS", "download", "run"]
