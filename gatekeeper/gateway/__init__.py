"""The request path: an OpenAI-compatible proxy that splits, mirrors, falls back and records, and needs nobody else."""
