"""Rooms that open boxes; `TABLE` says which names a pipeline file may use."""

TABLE: dict[str, str] = {
    "docker": "sandboxes.docker:DockerSandbox",
    "no_execution": "sandboxes.no_execution:NoExecutionSandbox",
    "namespace": "sandboxes.namespace:NamespaceSandbox",
    "unsafe": "sandboxes.unsafe:UnsafeSandbox",
}
