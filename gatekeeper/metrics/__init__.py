"""What is measured: one metric a file; its name in a policy is its file's name."""
