"""Async client for the Tintri Global Center's (TGC) REST API, v310.51 and newer; start at `tgc.client.connect`."""
