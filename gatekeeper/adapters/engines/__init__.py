"""Serving engines: one a file, each with `start(...)` that gives back an `EngineServer`."""
