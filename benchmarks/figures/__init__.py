"""One module a figure; each measures it with `async def measure()`."""
