"""numpy's files: bitmaps, and Sketch-RNN's drawings.

In the order in which a file meets the modules:

    npy            headers of `.npy` and members of `.npz`, read as streams
    numpy_bitmap   28×28 bitmaps
    sketchrnn      drawings as differences of points
"""
