"""From packed rows to what the network takes: rows in order, decoded to bytes, prepared on the device in batches."""
