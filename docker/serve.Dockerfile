# The HTTP server with the bundled model, without TensorFlow and Beam.
FROM python:3.11-slim
WORKDIR /quickdraw
COPY requirements-serve.txt constraints.txt ./
RUN pip install --no-cache-dir --constraint constraints.txt --requirement requirements-serve.txt
COPY tfrecords ./tfrecords
COPY pipeline ./pipeline
COPY rnn_model ./rnn_model
COPY serve_export ./serve_export
RUN python -m compileall -q .
USER 65534
ENV PORT=8080
CMD ["sh", "-c", "exec python -m serve_export.server --host=0.0.0.0 --port=$PORT"]
