"""Which texts are secrets: the rules of detect-secrets, a few of our own, and what only looks like one."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

PLUGINS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "artifactory": ("artifactory", "ArtifactoryDetector", ("AKC",)),
    "aws": ("aws", "AWSKeyDetector", ("A3T", "ABIA", "ACCA", "AKIA", "ASIA")),
    "azure": (
        "azure_storage_key",
        "AzureStorageKeyDetector",
        ("AccountKey", "accountKey", "account_key", "ACCOUNT_KEY"),
    ),
    "basic_auth": ("basic_auth", "BasicAuthDetector", ()),
    "discord": ("discord", "DiscordBotTokenDetector", ()),
    "github": ("github_token", "GitHubTokenDetector", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    "jwt": ("jwt", "JwtTokenDetector", ("eyJ",)),
    "mailchimp": ("mailchimp", "MailchimpDetector", ("-us",)),
    "npm": ("npm", "NpmDetector", ("npm_", "_authToken", "NPM_TOKEN")),
    "sendgrid": ("sendgrid", "SendGridDetector", ("SG.",)),
    "slack": ("slack", "SlackDetector", ("xoxa-", "xoxb-", "xoxp-", "xoxo-", "xoxs-", "xoxr-", "hooks.slack.com")),
    "square": ("square_oauth", "SquareOAuthDetector", ("sq0csp-",)),
    "stripe": ("stripe", "StripeDetector", ("sk_live_", "rk_live_")),
}
"""Kind to module and class of detect-secrets, and literals of which one stands in every text that it finds.

Left out: the detectors by entropy and by keyword, as every digest and every `password=` of a task is a find to them;
Twilio's, whose rule (`SK` and 32 letters) finds digests; those of IBM's and SoftLayer's clouds, which go by keyword."""

OWN: dict[str, tuple[str, tuple[str, ...]]] = {
    "anthropic": (r"\bsk-ant-[\w-]{20,}", ("sk-ant-",)),
    "github_pat": (r"\bgithub_pat_\w{50,}", ("github_pat_",)),
    "gitlab": (r"\bglpat-[\w-]{20,}", ("glpat-",)),
    "google": (r"\bAIza[\w-]{35}\b", ("AIza",)),
    "huggingface": (r"\bhf_[A-Za-z]{34}\b", ("hf_",)),
    "openai": (r"\bsk-(?:proj-|svcacct-|admin-)?(?=[\w-]*\d)[A-Za-z0-9_-]{32,}", ("sk-",)),
    "private_key": (
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----\s*(?:[\w-]+: [^\n]*\n)*\s*([A-Za-z0-9+/=]{40,})",
        ("PRIVATE KEY",),
    ),
    "pypi": (r"\bpypi-AgE[\w-]{50,}", ("pypi-AgE",)),
}
"""Rules that detect-secrets does not have, in the issuers' documented shapes. Its rule for private keys, the header
alone, finds every program that looks for one; ours wants a key behind it."""

KINDS = (*PLUGINS, *OWN)
SCREEN: dict[str, str] = {
    "aws": r"[aA][wW][sS].{0,20}(?:[kK][eE][yY]|[pP][wWaA]|[tT][oO][kK])",
    "basic_auth": r"://[^\s/:@]+:[^\s/@]+@",
    "discord": r"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.",
}
"""For kinds that literals do not cover, a pattern (of Rust's kind) that stands in every text that they find."""
_PLACEHOLDER = re.compile(
    r"example|sample|placeholder|redacted|change_?me|dummy|fake|(?<![a-z])test(?![a-z])|your|xxxx"
    r"|0{8}|1234567|abcdef|\*{3}|\.\.\.|<[^>]*>|\$[A-Za-z_({]|[{}]|%[s(]",
    re.IGNORECASE,
)
_PASSWORDS = frozenset(("password", "passwd", "pass", "pw", "pwd", "secret", "admin", "root", "guest", "token", "x"))
_LOCAL = re.compile(
    r"localhost|127\.|0\.0\.0\.0|10\.|192\.168\.|\[?::1|(?:[\w-]+\.)*example\."
    r"|[\w-]+(?:[:/\"']|$)|[^/\s]*\.(?:test|local)\b"
)
_JWT_IO = "eyJzdWIiOiIxMjM0NTY3ODkw"
"""The payload (`"sub":"1234567890"`) of the token that jwt.io and all tutorials show."""
_GROUPED = ("github", "npm")
"""Of these, `analyze_string` gives a group of the rule (such as `ghp`) in place of the secret."""
_DISTINCT = 8
"""Characters that must differ in a secret that was drawn at random."""


def secrets_in(text: str, kinds: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Kind and value of each secret in a text; placeholders and examples of documentation are left out."""
    for kind in kinds:
        anchors = PLUGINS[kind][2] if kind in PLUGINS else OWN[kind][1]
        if not any(anchor in text for anchor in anchors) and not (kind in SCREEN and _screen(kind).search(text)):
            continue
        for value in _found(kind, text):
            if not _example(kind, value, text):
                yield kind, value


def _found(kind: str, text: str) -> set[str]:
    if kind in OWN:
        return {match[match.re.groups] for match in _compiled(kind).finditer(text.replace("\\n", "\n"))}
    plugin, found = _plugin(kind), set()
    for line in text.splitlines():
        if kind in _GROUPED:
            matches = [match for rule in plugin.denylist for match in rule.finditer(line)]
            found |= {next((part for part in match.groups() if part and len(part) > 16), match[0]) for match in matches}
        else:
            found.update(plugin.analyze_string(line))
    return found


def _example(kind: str, value: str, text: str) -> bool:
    if kind == "basic_auth":
        return _harmless_password(value, text)
    if kind == "jwt" and _JWT_IO in value:
        return True
    return bool(_PLACEHOLDER.search(value)) or len(set(value)) < _DISTINCT


def _harmless_password(value: str, text: str) -> bool:
    """Whether a password in a url is a placeholder, the user's own name, or of a host that nobody else can reach."""
    if value.lower() in _PASSWORDS or _PLACEHOLDER.search(value):
        return True
    uses = re.findall(rf"://([^\s/:@]+):{re.escape(value)}@(\S*)", text)
    return all(user == value or _LOCAL.match(host) for user, host in uses)


@functools.cache
def _compiled(kind: str) -> re.Pattern[str]:
    return re.compile(OWN[kind][0])


@functools.cache
def _screen(kind: str) -> re.Pattern[str]:
    return re.compile(SCREEN[kind])


@functools.cache
def _plugin(kind: str) -> Any:
    import importlib

    module, name, _ = PLUGINS[kind]
    return getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)()
