"""Teachers on vLLM: servers that the factory starts or joins, and an engine inside the factory's own process."""
