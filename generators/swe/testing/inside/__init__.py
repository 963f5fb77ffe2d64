"""What runs in the box: Python 3.9 and later, the standard library, and the pytest that is installed there."""
