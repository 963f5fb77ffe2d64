"""Prints what pip needs to know about a box's Python to choose wheels for it, as JSON."""

import json
import os
import platform
import sys

version = platform.python_version()
print(
    json.dumps(
        {
            "libc": platform.libc_ver(),
            "markers": {
                "implementation_name": sys.implementation.name,
                "implementation_version": version,
                "os_name": os.name,
                "platform_machine": platform.machine(),
                "platform_python_implementation": platform.python_implementation(),
                "platform_release": platform.release(),
                "platform_system": platform.system(),
                "platform_version": platform.version(),
                "python_full_version": version,
                "python_version": ".".join(platform.python_version_tuple()[:2]),
                "sys_platform": sys.platform,
            },
        }
    )
)
