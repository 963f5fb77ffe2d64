"""Options of programs that have dangerous ones as well, or that write: those that are allowed."""

from __future__ import annotations

from sandboxes.no_execution.options import Options, listed


def _options(
    short: str = "", valued: str = "", long: str = "", long_valued: str = "", *, number: bool = False
) -> Options:
    return Options(short, valued, long=listed(long), long_valued=listed(long_valued), number=number)


KNOWN: dict[str, Options] = {
    "sort": _options(
        "bdfghiMnRrVcCmsuz",
        "kto",
        "reverse numeric-sort unique human-numeric-sort version-sort ignore-case stable general-numeric-sort",
        "key field-separator output",
    ),
    "uniq": _options("cdDiuz", "fsw", "count repeated unique ignore-case", "skip-fields skip-chars check-chars"),
    "tee": _options("ai", long="append"),
    "touch": _options("acmh", "dtr", "no-create"),
    "mkdir": _options("pv", "m", "parents verbose", "mode"),
    "rmdir": _options("pv", long="parents verbose"),
    "rm": _options("rRfivdI", long="recursive force verbose"),
    "cp": _options("rRafnvpiLHPduxT", long="recursive force no-clobber verbose archive no-target-directory update"),
    "mv": _options("fnviuT", long="force no-clobber verbose no-target-directory update"),
    "truncate": _options("c", "sr", "no-create", "size"),
    "mktemp": _options("dqtu", "p", "directory"),
    "diff": _options(
        "qrNuabBwiyctsdEZTnp",
        "UCWxILF",
        "unified brief recursive side-by-side color no-color suppress-common-lines ignore-all-space ignore-case "
        "ignore-space-change ignore-blank-lines ignore-trailing-space new-file text report-identical-files minimal "
        "strip-trailing-cr no-dereference",
        "color unified context width exclude label",
        number=True,
    ),
    "tree": _options(
        "adfilphsDFCnQNvtUrxugJ",
        "LPIo",
        "noreport dirsfirst prune gitignore du si inodes filesfirst",
        "charset filelimit",
    ),
    "file": _options("bLikhsr0N", "Fe", "brief mime mime-type mime-encoding dereference"),
    "xxd": _options("pbuiera", "lcsgo"),
    "rg": _options(
        "nilcvwxFPsSuHNUaopL0",
        "eABCgtTmMjrfEd",
        "files files-with-matches files-without-match count count-matches line-number no-line-number ignore-case "
        "hidden no-ignore no-ignore-vcs no-heading heading multiline word-regexp fixed-strings invert-match "
        "column trim json stats smart-case case-sensitive pcre2 only-matching follow no-messages vimgrep no- "
        "filename with-filename text type-list multiline-dotall pretty null line-regexp",
        "glob iglob type type-not context after-context before-context max-count max-depth max-columns sort sortr "
        "color colors regexp file replace threads encoding context-separator",
    ),
}
"""Programs and their options. Left out on purpose: `sort --compress-program`, `diff --paginate`, `file -z` and `-C`,
`rg --pre`, `--hostname-bin` and `--search-zip`, `cp -s` and `-l`, whatever keeps backups under a name of the caller's,
and all abbreviations."""
