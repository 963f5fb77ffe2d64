"""Which attempts `secrets` drops, and what only looks like a secret."""

import json

import pytest
from pydantic import ValidationError

from filters.secret_kinds import KINDS
from filters.secrets import Secrets
from tests.filters.hygiene_rows import reasons, said, shown, typed, why

# Each in two halves, so that no scanner of this repository takes them for real.
PLANTED = {
    "artifactory": ("KEY=AKC", "p8kQ2mZx7RtV4nLw9BcY"),
    "aws": ("AKIA", "Q3EGT7ZL4M2KXW5P"),
    "azure": ("AccountKey=", "kW7vB2nQ9xLm4RtZ8cYp3HsJ6gAfU1eDiO0wK5vN" * 2 + "yP7qTz=="),
    "basic_auth": ("git clone https://bob:", "Hu7kQ9zz@git.corp-tools.io/x.git"),
    "discord": ("MTk4NjIyNDgzNDcxOTI1MjQ4", ".Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"),
    "github": ("ghp_", "Zq8vT3nB7kLm2XcR5wYdP9sHfJ1gA4eU6iO0"),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9", ".eyJ1c2VyIjoiYm9iYnkiLCJpZCI6NDJ9.Qk3mZ8tR_xV7pL2wN5"),
    "mailchimp": ("3f8a9c2b7e4d6150", "f9b8a7c6d5e4f302-us12"),
    "npm": ("npm_", "Zq8vT3nB7kLm2XcR5wYdP9sHfJ1gA4eU6iO0"),
    "sendgrid": ("SG.", "Zq8vT3nB7kLm2XcR5wYdP9.sHfJ1gA4eU6iO0Zq8vT3nB7kLm2XcR5wYdP9sHfJ1gA"),
    "slack": ("xoxb-", "8471234981-23987128739-q9w8e7r6t5y4"),
    "square": ("sq0csp-", "Zq8vT3nB7kLm2XcR5wYdP9sHfJ1gA4eU6iO0Zq8vT3n"),
    "stripe": ("sk_live_", "Zq8vT3nB7kLm2XcR5wYdP9sH"),
    "anthropic": ("sk-ant-", "api03-Zq8vT3nB7kLm2XcR5wYd"),
    "github_pat": ("github_pat_", "11AZq8vT3nB7kLm2XcR5wY_dP9sHfJ1gA4eU6iO0Zq8vT3nB7kLm2XcR5wYdP9"),
    "gitlab": ("glpat-", "x7Kq2ZbN9wR4tY6uV1mP"),
    "google": ("AIza", "SyZq8vT3nB7kLm2XcR5wYdP9sHfJ1gA4eU6"),
    "huggingface": ("hf_", "qWkLmXcRwYdPsHfJgAeUiOvTnBZqKzRtYp"),
    "openai": ("sk-", "proj-aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z"),
    "private_key": ("-----BEGIN RSA PRIVATE", " KEY-----\nMIIEpAIBAAKCAQEA1c7+9z5Pad7OejecsQ0buozk5LJnXuV"),
    "pypi": ("pypi-AgE", "IcHlwaS5vcmcCJDk4ZjY3Zq8vT3nB7kLm2XcR5wYdP9sHfJ1gA4eU6iO0"),
}


def test_each_kind_has_a_planted_secret():
    assert set(PLANTED) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_secret_is_found_and_not_repeated(kind: str):
    secret = "".join(PLANTED[kind])
    rows = [
        {"messages": [shown("go"), shown(f"$ cat .env\n{secret}\n$", "tool"), said("ok")]},
        {"messages": [said("", calls=[{"command": f"cat > .env <<EOF\n{secret}\nEOF"}])]},
        {"messages": [typed(f"cat > .env <<EOF\n{secret}\nEOF\n")]},
        {"messages": [said("ok", thought=f"The value is\n{secret}\nso I use it")]},
    ]
    assert reasons(Secrets(), *rows) == [
        f"secrets: 1 found, first of kind {kind} (message 2, tool)",
        f"secrets: 1 found, first of kind {kind} (message 1, arguments)",
        f"secrets: 1 found, first of kind {kind} (message 1, commands)",
        f"secrets: 1 found, first of kind {kind} (message 1, reasoning)",
    ]
    assert reasons(Secrets(allow=(kind,)), *rows) == [None] * 4


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "postgres://postgres:postgres@db:5432/app",
        "https://user:password@registry.io/v2",
        "https://bob:Hu7kQ9zz@localhost:8080/",
        "https://bob:${TOKEN}@git.corp.io/x.git",
        "https://bob:Hu7kQ9zz@example.com/",
        "if '-----BEGIN RSA PRIVATE KEY-----' in text:",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "task-management-system-for-everything-else-2",
        "sha512-z7PhNXc4GO9m5vVnwHAYnO8vZ1d9cVtQeKq0t0oXGxRrJ7Zl2bUq4lO2vKQ8hC1Lw==",
        "export AWS_SECRET_ACCESS_KEY=$KEY",
        "commit 5f2c9a71be0d4463a8c1f7d29e60b35487ca1d02",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "the laws of jaws, draws and flaws; key: value",
        "password = hunter2",
    ],
)
def test_placeholders_digests_and_prose_stay(text: str):
    assert why(Secrets(), shown(text, "tool"), said(text)) is None


def test_what_the_task_planted_stays():
    secret = "".join(PLANTED["aws"])
    task = json.dumps({"prompt": "find the key", "files": {"/app/.env": f"KEY={secret}\n"}})
    assert why(Secrets(), shown(secret, "tool"), task=task) is None
    assert why(Secrets(planted=False), shown(secret, "tool"), task=task) is not None
    other = "".join(PLANTED["github"])
    assert why(Secrets(), shown(f"{secret} {other}", "tool"), task=task) == (
        "secrets: 1 found, first of kind github (message 1, tool)"
    )


def test_an_aws_secret_key_is_found_by_its_name():
    line = "AWS_SECRET_ACCESS_KEY=" + "wJq8vT3nB7kLm2XcR5wYdP9sHfJ1gA4eU6iO0zK3"
    assert why(Secrets(), said(line)) == "secrets: 1 found, first of kind aws (message 1, content)"


def test_roles_say_whose_messages_are_searched():
    found = shown("".join(PLANTED["stripe"]), "tool")
    assert why(Secrets(roles=("assistant",)), found, said("ok")) is None
    assert why(Secrets(roles=("tool",)), found, said("ok")) is not None


def test_an_unknown_kind_is_a_mistake():
    with pytest.raises(ValidationError, match="no kind of secret: 'azzure'; one of: artifactory, aws"):
        Secrets(allow=("azzure",))
