"""The shell: read, call a rule, write. Each file is one thing that happens."""
