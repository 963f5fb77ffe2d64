#!/bin/bash
python3 "$(dirname "$0")/ask.py" > /app/out.txt
