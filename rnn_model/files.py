"""Files of a run and of a report, local or of any scheme that `tf.io.gfile` knows."""

import tensorflow as tf


def write(folder: str, name: str, content: str | bytes) -> None:
    """Writes a file under a temporary name first: a file in place is a whole one."""
    temporary = tf.io.gfile.join(folder, f".{name}.tmp")
    mode = "w" if isinstance(content, str) else "wb"
    with tf.io.gfile.GFile(temporary, mode) as file:
        file.write(content)
    tf.io.gfile.rename(temporary, tf.io.gfile.join(folder, name), overwrite=True)
