"""Notification sinks: one file each, a class `Sink` that keeps the port `Alerts`."""
