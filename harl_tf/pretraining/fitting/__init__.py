"""What ``fit``, ``evaluate`` and their relatives add to Keras's: data, callbacks, steps a call."""
