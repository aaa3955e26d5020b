"""Run stages by name: settings, external inputs, disk space and distributed workers."""
