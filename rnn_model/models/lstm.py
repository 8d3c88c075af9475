"""The LSTM as processors compute it fastest: few steps, each of few operations.

Keras runs a loop, in each step of which it casts all weights and multiplies the inputs;
going back, it adds up a gradient of the weights for each step. Here the inputs of all
steps are multiplied at once, steps are written out, and the gradient of the weights is
one product over all steps.
"""

from collections.abc import Callable

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("quickdraw")  # Bidirectional asks for it
class LSTM(keras.layers.LSTM):
    """Keras' layer with its defaults, for sequences of a known number of steps.

    Keras itself computes masked ones, all with `use_cudnn=False`, and on GPUs.
    """

    def inner_loop(
        self,
        sequences: tf.Tensor,
        initial_state: list[tf.Tensor],
        mask: tf.Tensor | None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """The last output, all outputs `[batch, time, units]`, and the last state."""
        on_gpu = tf.config.list_physical_devices("GPU")
        if mask is not None or not self.use_cudnn or on_gpu:
            return super().inner_loop(sequences, initial_state, mask, training)
        weights = (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)
        kernel, recurrent, bias = (tf.cast(some, sequences.dtype) for some in weights)
        if self.go_backwards:
            sequences = tf.reverse(sequences, [1])
        _, steps, features = sequences.shape
        by_time = tf.reshape(tf.transpose(sequences, [1, 0, 2]), [-1, features])
        given = tf.nn.bias_add(tf.matmul(by_time, kernel), bias)
        given = tf.reshape(given, [steps, -1, given.shape[-1]])
        *outputs, carry = _recurrence(recurrent, *initial_state, given)
        return outputs[-1], tf.stack(outputs, 1), [outputs[-1], carry]


@tf.custom_gradient
def _recurrence(
    recurrent: tf.Tensor, output: tf.Tensor, carry: tf.Tensor, given: tf.Tensor
) -> tuple[list[tf.Tensor], Callable[..., tuple[tf.Tensor, ...]]]:
    """The steps of an LSTM (Hochreiter & Schmidhuber 1997, with forget gates).

    Args:
      recurrent: `[units, 4 · units]`, weights of the gates in, forget, new and out.
      output, carry: `[batch, units]`, before the first step.
      given: `[steps, batch, 4 · units]`, what a step's input gives to the gates.

    Returns:
      Each step's output and the last carry, `[batch, units]`; their gradient.
    """
    outputs, carries, gates = [output], [carry], []
    for of_input in tf.unstack(given):
        sums = of_input + tf.matmul(outputs[-1], recurrent)
        into, forget, new, out = tf.split(sums, 4, axis=1)
        into, forget, out = tf.sigmoid(into), tf.sigmoid(forget), tf.sigmoid(out)
        new = tf.tanh(new)
        carries.append(forget * carries[-1] + into * new)
        bent = tf.tanh(carries[-1])
        outputs.append(out * bent)
        gates.append((into, forget, new, out, bent))

    def gradient(*upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        *of_outputs, of_carry = upstream
        of_output = tf.zeros_like(output)
        of_steps: list[tf.Tensor] = []
        for step, (into, forget, new, out, bent) in reversed([*enumerate(gates)]):
            of_output += of_outputs[step]
            of_carry += _through_tanh(bent, of_output * out)
            of_sums = [
                _through_sigmoid(into, of_carry * new),
                _through_sigmoid(forget, of_carry * carries[step]),
                _through_tanh(new, of_carry * into),
                _through_sigmoid(out, of_output * bent),
            ]
            of_steps.insert(0, tf.concat(of_sums, 1))
            of_output = tf.matmul(of_steps[0], recurrent, transpose_b=True)
            of_carry *= forget
        before, after = tf.concat(outputs[:-1], 0), tf.concat(of_steps, 0)
        of_recurrent = tf.matmul(before, after, transpose_a=True)
        return of_recurrent, of_output, of_carry, tf.reshape(after, tf.shape(given))

    return [*outputs[1:], carries[-1]], gradient


def _through_sigmoid(y: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.SigmoidGrad(y=y, dy=upstream)


def _through_tanh(y: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.TanhGrad(y=y, dy=upstream)
