"""Language models that judge answers: one kind of endpoint a file; its name is its file's name."""
