# Training on NVIDIA GPUs: CUDA comes from PyPI, the host provides the driver.
FROM python:3.11-slim
COPY constraints.txt dist/quickdraw_rnn-0.1.0.tar.gz /tmp/
RUN pip install --no-cache-dir --constraint /tmp/constraints.txt "/tmp/quickdraw_rnn-0.1.0.tar.gz[train,report,gcp]" "tensorflow[and-cuda]"
ENTRYPOINT ["quickdraw-train"]
