"""From a key in the queue to the writes that it needs."""
