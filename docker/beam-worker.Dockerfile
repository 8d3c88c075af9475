# A Beam worker with the package installed: no installation when a worker starts, and
# no access to PyPI needed there. The SDK version must be that of constraints.txt.
FROM apache/beam_python3.11_sdk:2.77.0
COPY constraints.txt dist/quickdraw_rnn-0.1.0.tar.gz /tmp/
RUN pip install --no-cache-dir --constraint /tmp/constraints.txt /tmp/quickdraw_rnn-0.1.0.tar.gz
