"""What moves traffic: one actuator a file, named by it."""
