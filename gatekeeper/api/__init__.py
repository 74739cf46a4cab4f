"""The control plane over HTTP: thin routes that read, call a flow, and answer; pydantic lives only here."""
