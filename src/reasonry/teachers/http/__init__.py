"""Speaking to endpoints over HTTP: formats, providers, streams."""
