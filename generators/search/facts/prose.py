"""Facts from prose: what a thing is, who made it when and where, and what it has to do with the pages linked to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from generators.search.facts.fact import Fact
from generators.search.facts.sentences import folded, listed

MADE = sorted(
    listed(
        "designed developed created written invented introduced founded released published coined proposed implemented "
        "produced marketed built established formed launched born standardised standardized announced discovered "
        "composed painted directed devised"
    )
)
"""Participles that tell who made a thing, when and where."""
_VERB = rf"(?:originally |first |initially |jointly )?(?P<how>{'|'.join(MADE)})"
_NAME = r"[A-Z][\w’'&+/-]*\.?(?:(?: (?:of|de|von|van|der|du|la|&))? [A-Z][\w’'&+/-]*\.?)*"  # Bell Labs; J. R. Smith
_MADE = re.compile(rf"\b{_VERB}\b(?P<rest>[^;:()\[\]]*)")
_BY = re.compile(rf"\s+by\s+(?:the\s+)?(?P<name>{_NAME})")
_AT = re.compile(rf"\s*,?\s+at\s+(?:the\s+)?(?P<name>{_NAME})")
_IN = re.compile(r"\s*,?\s+in\s+(?:(?:[A-Z][a-z]+|early|mid|late)\s+)?(?P<year>1[5-9]\d\d|20[0-4]\d)\b(?!s|[-/–]\d)")
_MORE = re.compile(r"\s*(?:,\s*)?(?:and|&|et al)\b|\s*,\s*[A-Z]|\s*/")
_CLOSED = re.compile(
    r"\s*(?:$|[.,;:<({\[]|(?:in|at|for|from|to|on|as|around|about|circa|ca|while|during|when|which|who|with|under|that|using|of|"
    r"based|but|is|was)\b)"
)
"""What may follow a name that has ended; after `developed by Swedish` it goes on."""
_ARTICLE = r"(?:the |a |an )?"
_TIES = {
    "dialect_of": r"dialect of",
    "variant_of": r"(?:variant|variation|version) (?:of|on)",
    "successor_of": r"(?:successor|follow-on|sequel) (?:to|of)",
    "descends_from": r"(?:descendant of|descended from|derived from|outgrowth of|evolved from)",
    "based_on": r"based (?:up)?on",
    "subset_of": r"subset of",
    "superset_of": r"superset of",
    "extends": r"(?:extension (?:of|to)|extends)",
    "written_in": r"(?:written|implemented) in",
    "runs_on": r"runs? (?:on|under)",
    "similar_to": r"similar to",
    "part_of": r"(?:part|component) of",
    "opposed_to": r"(?:opposite of|antonym of|opposed to)",
    "named_after": r"named after",
    "alternative_to": r"alternative to",
    "used_in": r"used (?:in|by)",
    "replaced_by": r"(?:superseded|replaced) by",
    "replaces": r"(?:supersedes|replaces|replacement (?:for|of))",
    "supports": r"supports",
}
"""Relations between the subject and a page linked to, and the words that state them."""
_TIE = re.compile("|".join(rf"\b(?P<{name}>{words}) {_ARTICLE}" for name, words in _TIES.items()), re.IGNORECASE)
_STOP = listed(
    "that which who whose where when for used using with in from by to on at and or as of is are was were can "
    "could may will would but than via under over between into similar intended such like the a an able not "
    "has have had across along among around through within without about after before during per out up off "
    "onto upon against towards whereby so because since until if then"
)
"""Words at which the noun phrase of a definition ends."""
_QUALIFIES = re.compile(r"(?:ble|ive|ous|ful|less|ary|ized|ised|al|ic|ly|[^e]ed|ing|er-level|based|oriented)$")
_NOUN = listed(
    "terminal journal signal interval material portal manual proposal professional capital goal logic graphic "
    "topic metric music arithmetic heuristic mnemonic fabric library dictionary directory binary directive "
    "table variable archive drive primitive cable assembly family supply reply string thing ring king encoding "
    "coding setting meeting building drawing programming processing feed speed seed bed"
)
ADJECTIVES = listed(
    "small large simple fast free complete later early modular parallel concurrent general common public open "
    "modern proprietary strong weak dynamic static new old high low powerful lightweight portable american "
    "british"
)
_VAGUE = re.compile(r"^(?:kind|type|form|sort|class|family|species) of (?:an? )?", re.IGNORECASE)
_UNCOUNTABLE = listed(
    "software hardware firmware middleware shareware freeware information data code equipment memory storage "
    "research music text traffic access communication knowledge material work slang jargon software- "
    "engineering time money"
)
"""No kind of which there is one."""
_NEVER = listed(
    "way thing name one lot number term kind type form sort set part piece series version variant dialect "
    "collection use act process group member first second last day word phrase something person subset "
    "superset extension case successor descendant few state ability creation opposite property combination "
    "predecessor description area branch list place feature implementation variation revision range equivalent "
    "original absence replacement said development level founder popular basis effort definition instance "
    "tendency approach provider layer body half quantity amount fact idea concept component sequence measure "
    "result example generic following study old new common early"
)


def subject_of(sentence: str, names: tuple[str, ...]) -> str | None:
    """What a sentence says of the page's subject, without the subject: `is a language`, `Designed by ...`; None: it is
    about something else, as far as can be told."""
    for name in ("It", "They", *names):
        for article in ("", "The "):
            if sentence.casefold().startswith(f"{article}{name} ".casefold()):
                rest = sentence[len(article) + len(name) :].lstrip()
                rest = re.sub(r"^\([^()]{1,80}\)\s*", "", rest)
                return (
                    rest
                    if re.match(r"(?:is|was|are|were|runs?|supports|extends|replaces|supersedes)\b", rest)
                    else None
                )
    if re.match(
        rf"(?:Originally |First )?(?:{'|'.join(MADE)}|Based|Derived|Descended|Similar|Named|Superseded|Runs|Supports|"
        r"Opposite|Successor|Dialect)\b",
        sentence,
        re.IGNORECASE,
    ):
        return sentence
    return None


def kind_of(said: str) -> str:
    """The noun phrase by which a definition says what a thing is, seven words at most; empty: none is found."""
    said = re.sub(r"^(?:is|was) ", "", said)
    begin = re.match(r"(?:an?|any|the) ", said, re.IGNORECASE)
    if begin is None:
        return ""
    found: list[str] = []
    words = _VAGUE.sub("", said[begin.end() :]).split()
    for place, word in enumerate(words):
        bare = word.rstrip(",.;:")
        ends = bare in _STOP or (found and _participle(bare, words[place + 1 : place + 2]))
        if ends or not re.fullmatch(r"\w[\w+#/'’.-]*", bare):
            break
        found.append(bare)
        if bare != word and not (word.endswith(",") and _qualifies(bare)):
            break
    return " ".join(found) if len(found) <= 7 and found and _names_a_kind(found[-1]) else ""


def _names_a_kind(noun: str) -> bool:
    """Whether a word can be what a thing is one of."""
    plural = re.search(r"[^suia]s$", noun) is not None
    plain = noun.isalpha() and noun.islower() and not plural
    return plain and noun not in _NEVER | _UNCOUNTABLE | _IRREGULAR and not _qualifies(noun)


def _qualifies(word: str) -> bool:
    """Whether a word is an adjective, as far as its ending tells: no noun phrase ends in it."""
    word = word.casefold()
    return word in ADJECTIVES or (word not in _NOUN and _QUALIFIES.search(word) is not None)


def _participle(word: str, after: list[str]) -> bool:
    """Whether a word begins a clause about the noun before it: `language designed by`, `system running on`; but not
    in `bug tracking system`."""
    ends = not after or after[0].rstrip(",.;:").casefold() in _STOP or word in _IRREGULAR
    return ends and (word in _IRREGULAR or (word.endswith(("ed", "ing")) and word not in _NOUN)) and "-" not in word


_IRREGULAR = listed("built found sent made kept held known given written shown seen taken run meant put")


def making(said: str, quote: str) -> Iterator[Fact]:
    """Who made the subject, where, and in what year. `said`: a sentence without its subject, or a definition."""
    for made in _MADE.finditer(said):
        if not _of_the_subject(said[: made.start()]):
            continue
        how, rest = made["how"].lower(), made["rest"]
        place = 0
        for relation, pattern in (("made_by", _BY), ("made_at", _AT), ("made_in", _IN)):
            found = pattern.match(rest, place)
            if found is None:
                continue
            value = (found["year"] if relation == "made_in" else found["name"]).rstrip(".,'’")
            place = found.start() + len(found[0].rstrip("."))
            several = relation != "made_in" and _MORE.match(rest, place) is not None
            if several or (relation != "made_in" and not _CLOSED.match(rest, place)):
                break
            if relation == "made_by":
                value = _person(value)
            if len(value) > 2 and len(value.split()) <= 5:
                yield Fact(relation, value, folded(value), quote, how)


def _person(name: str) -> str:
    """A name without where its bearer works: `Gary Kildall` of `Gary Kildall of Digital Research`."""
    before, _, _ = name.partition(" of ")
    return name if len(before.split()) < 2 or before.split()[-1] in _BODIES else before


_BODIES = listed("University Institute Department School College Academy Ministry Bank Society Board")
_STOPS = (
    r"(?:[.;]|, (?:which|that|e\.g|i\.e|such|often|usually|especially|typically|developed|designed|written|based)\b)"
)
"""What ends a purpose; after another comma a list goes on."""
_DOES = re.compile(
    rf"^(?:is |was )?(?i:an?|the) (?P<kind>[^,;:()]{{3,60}}?),? (?:that|which) "
    rf"(?P<does>[a-z]+s (?!not)[^,;:()\"]+){_STOPS}"
)
_FOR = re.compile(rf"^(?:is |was )?(?i:an?|the) (?P<kind>[^,;:()]{{3,60}}?),? for (?P<what>[a-z][^,;:()\"]+){_STOPS}")
_USED = re.compile(
    rf"^(?:is |was )?(?i:an?|the) (?P<kind>[^,;:()]{{3,60}}?),? used (?P<what>(?:to|for|in) [a-z][^,;:()\"]+){_STOPS}"
)
_POINTS = re.compile(
    r"\b(?:it|its|this|these|they|their|them|you|your|we|our|he|she|his|her|above|below|following|etc)\b", re.IGNORECASE
)


def purposes(said: str, quote: str) -> Iterator[Fact]:
    """What the subject does or is for, in the words of its definition. `said`: the definition."""
    for relation, pattern, group in (("does", _DOES, "does"), ("for", _FOR, "what"), ("used", _USED, "what")):
        found = pattern.match(said if said.endswith(".") else f"{said}.")
        if found is None:
            continue
        value, nouns = found[group].strip(), found["kind"].split()
        plain = len(nouns) <= 6 and not _STOP & {noun.casefold() for noun in nouns}
        if plain and 2 <= len(value.split()) <= 14 and not _POINTS.search(value):
            yield Fact(relation, value, folded(value), quote, asked=False)
            return


def ties(said: str, quote: str, targets: Mapping[str, int]) -> Iterator[Fact]:
    """What the subject has to do with pages that are linked to. `targets`: their numbers by folded title."""
    for tie in _TIE.finditer(said):
        if not _of_the_subject(said[: tie.start()], tie[0]):
            continue
        words = said[tie.end() :].split()[:6]
        for size in range(len(words), 0, -1):
            key = folded(" ".join(words[:size]))
            if key in targets and _ends(words[size - 1 : size + 1]):
                value = " ".join(words[:size]).strip(".,;:()[]")
                yield Fact(str(tie.lastgroup), value, key, quote, target=targets[key])
                break


_AFTER = re.compile(
    r"[(\[]|(?:and|or|which|that|with|in|from|but|for|at|by|on|as|to|where|when|who|using|used|developed|designed|"
    r"written|intended|created|under|is|was|has|had|languages?|systems?|architecture|family|processors?|series)\b"
)


def _ends(words: list[str]) -> bool:
    """Whether a name ends with the first of two words: the second does not go on with it."""
    return len(words) == 1 or words[0][-1] in ".,;:)" or _AFTER.match(words[1]) is not None


def _of_the_subject(before: str, tie: str = "") -> bool:
    """Whether what follows can be said of the subject: right after it, after what it is, or after a comma."""
    before = before.strip()
    if not before or before.endswith(","):
        return len(before.split()) <= 25
    if re.fullmatch(r"(?:an?|the)|(?:is|was|are|were)(?: \w+ly)?(?: an?| the)?", before, re.IGNORECASE):
        return True
    if re.search(r"(?:^|,) ?(?:which|that|and)?(?: is| was| were| are)$", before):
        return True
    if re.match(r"(?:(?:is|was) )?(?:an?|the|one of the) ", before, re.IGNORECASE):
        after = re.sub(r"^(?:is |was )", "", before)
        nouns = (
            re.sub(r"^(?:an?|the|one of the) ", "", after, flags=re.IGNORECASE)
            .removesuffix(" which was")
            .removesuffix(" that was")
        )
        plain = not re.search(r"\b(?:of|for|in|with|to|that|which|and|or|by|on|from|used)\b", nouns)
        return plain and len(nouns.split()) <= 6
    return False
