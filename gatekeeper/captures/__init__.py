"""What gateways saw of exchanges, as raw bytes and clock readings, and how exchanges are read from it."""
