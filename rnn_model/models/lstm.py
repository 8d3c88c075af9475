"""An LSTM that is fast on CPUs for short sequences.

Keras runs a loop. Each of its steps casts all weights and multiplies the inputs, and
the backward pass adds up a gradient of the weights for each step. Here the inputs of
all steps are multiplied at once, the loop is unrolled, and the gradient of the weights
is one matrix product over all steps.
"""

from collections.abc import Callable

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("quickdraw_rnn")
class LSTM(keras.layers.LSTM):
    """`keras.layers.LSTM` with default settings and a static number of time steps.

    It leaves the computation to Keras on GPUs, with a mask, and with
    `use_cudnn=False`.
    """

    def inner_loop(
        self,
        sequences: tf.Tensor,
        initial_state: list[tf.Tensor],
        mask: tf.Tensor | None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """Computes all time steps; overrides a method that Keras does not document.

        Args:
          sequences: `[batch, time, features]`.
          initial_state: hidden state and cell state, `[batch, units]`.
          mask: `<bool>[batch, time]` or None.
          training: whether this is a training step.

        Returns:
          The last output `[batch, units]`, all outputs `[batch, time, units]`, and the
          last hidden state and cell state.
        """
        has_gpu = bool(tf.config.list_physical_devices("GPU"))
        if mask is not None or not self.use_cudnn or has_gpu:
            result: tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]] = super().inner_loop(
                sequences, initial_state, mask, training
            )
            return result
        weights = (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)
        kernel, recurrent_kernel, bias = (
            tf.cast(weight, sequences.dtype) for weight in weights
        )
        if self.go_backwards:
            sequences = tf.reverse(sequences, [1])
        _, steps, features = sequences.shape
        time_major = tf.transpose(sequences, [1, 0, 2])  # (T, B, F)
        flat = tf.reshape(time_major, [-1, features])  # (T·B, F)
        input_projection = tf.matmul(flat, kernel)  # (T·B, 4U)
        input_projection = tf.reshape(
            input_projection, [steps, -1, input_projection.shape[-1]]
        )  # (T, B, 4U)
        hidden_state, cell_state = initial_state
        *outputs, cell_state = _recurrence(
            recurrent_kernel,
            tf.cast(bias, tf.float32),
            hidden_state,
            tf.cast(cell_state, tf.float32),
            input_projection,
        )
        final_states = [outputs[-1], tf.cast(cell_state, sequences.dtype)]
        return outputs[-1], tf.stack(outputs, 1), final_states


@tf.custom_gradient
def _recurrence(
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor,
    hidden_state: tf.Tensor,
    cell_state: tf.Tensor,
    input_projection: tf.Tensor,
) -> tuple[list[tf.Tensor], Callable[..., tuple[tf.Tensor, ...]]]:
    """Computes the time steps of an LSTM (Hochreiter & Schmidhuber 1997).

    With forget gates: https://doi.org/10.1162/089976600300015015.

    Only the matrix products are computed in low precision. The gates and the cell state
    are float32, which is more precise, and faster: TensorFlow's element-wise functions
    take 3 to 10 times as long in bfloat16 on CPUs.

    Args:
      recurrent_kernel: `<dtype>[units, 4 · units]`, weights of the input gate, the
        forget gate, the cell candidate and the output gate.
      bias: `<float32>[4 · units]`, in the same order.
      hidden_state: `<dtype>[batch, units]`, before the first step.
      cell_state: `<float32>[batch, units]`, before the first step.
      input_projection: `<dtype>[steps, batch, 4 · units]`, the inputs multiplied by the
        kernel.

    Returns:
      The hidden state `<dtype>[batch, units]` after each step, the last cell state
      `<float32>[batch, units]`; and the function that computes the gradient.
    """
    dtype = recurrent_kernel.dtype
    hidden_states, cell_states, gates = [hidden_state], [cell_state], []
    for projected in tf.unstack(input_projection):
        recurrent = tf.matmul(hidden_states[-1], recurrent_kernel)
        recurrent = tf.cast(recurrent, tf.float32) + bias
        sums = tf.cast(projected, tf.float32) + recurrent
        input_gate, forget_gate, candidate, output_gate = tf.split(sums, 4, axis=1)
        input_gate, forget_gate = tf.sigmoid(input_gate), tf.sigmoid(forget_gate)
        candidate, output_gate = tf.tanh(candidate), tf.sigmoid(output_gate)
        cell_states.append(forget_gate * cell_states[-1] + input_gate * candidate)
        tanh_cell = tf.tanh(cell_states[-1])
        hidden_states.append(tf.cast(output_gate * tanh_cell, dtype))
        gates.append((input_gate, forget_gate, candidate, output_gate, tanh_cell))

    def gradient(*upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        *d_outputs, d_cell = upstream
        d_hidden, d_bias = tf.zeros_like(cell_state), tf.zeros_like(bias)
        d_projections: list[tf.Tensor] = []
        for step in reversed(range(len(gates))):
            input_gate, forget_gate, candidate, output_gate, tanh_cell = gates[step]
            d_hidden += tf.cast(d_outputs[step], tf.float32)
            d_cell += _tanh_grad(tanh_cell, d_hidden * output_gate)
            d_gates = [
                _sigmoid_grad(input_gate, d_cell * candidate),
                _sigmoid_grad(forget_gate, d_cell * cell_states[step]),
                _tanh_grad(candidate, d_cell * input_gate),
                _sigmoid_grad(output_gate, d_hidden * tanh_cell),
            ]
            d_sums = tf.concat(d_gates, 1)  # (B, 4U)
            d_bias += tf.reduce_sum(d_sums, 0)
            d_projections.insert(0, tf.cast(d_sums, dtype))
            d_hidden = tf.matmul(d_projections[0], recurrent_kernel, transpose_b=True)
            d_hidden = tf.cast(d_hidden, tf.float32)
            d_cell *= forget_gate
        inputs = tf.concat(hidden_states[:-1], 0)  # (T·B, U)
        d_projection = tf.concat(d_projections, 0)  # (T·B, 4U)
        d_recurrent_kernel = tf.matmul(inputs, d_projection, transpose_a=True)
        d_input_projection = tf.reshape(d_projection, tf.shape(input_projection))
        d_hidden = tf.cast(d_hidden, dtype)
        return d_recurrent_kernel, d_bias, d_hidden, d_cell, d_input_projection

    return [*hidden_states[1:], cell_states[-1]], gradient


def _sigmoid_grad(y: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.SigmoidGrad(y=y, dy=upstream)


def _tanh_grad(y: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.TanhGrad(y=y, dy=upstream)
