#!/bin/bash
mkdir -p /logs/verifier
if python3 "$(dirname "$0")/lib/expect.py"; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
