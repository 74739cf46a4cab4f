"""The demonstration: models worth releasing and worth stopping, their traffic, and the story that plays them."""
