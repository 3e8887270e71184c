"""The skill glob-patterns: one pattern has to match all names of one kind and none of another.

Reads one request a line from stdin and writes one reply a line to stdout, as docs/skills.md tells it. Nothing else may
be printed there: what is meant for a person goes to stderr.
"""

import fnmatch
import json
import random
import string
import sys

ITEMS_PER_FAMILY = 8
SHOWN = 4
HIDDEN = 20
LONGEST = 100

WORDS = "amber birch cedar delta ember fjord grove heron inlet jetty kiosk larch maple north ocean petal quill river".split()
ENDINGS = ["csv", "json", "log", "md", "png", "txt", "xml", "yaml"]


def word(chance):
    return chance.choice(WORDS)


def digits(chance, count):
    return "".join(chance.choice(string.digits) for _ in range(count))


# A family is one way in which names differ. Each maker returns the pattern that is right, a function that draws a name
# which it matches, and one that draws a name which it does not.
def by_ending(chance):
    ending, other = chance.sample(ENDINGS, 2)
    return f"*.{ending}", lambda: f"{word(chance)}.{ending}", lambda: f"{word(chance)}.{other}"


def by_beginning(chance):
    first, other = chance.sample(WORDS, 2)
    return f"{first}*", lambda: f"{first}-{word(chance)}", lambda: f"{other}-{word(chance)}"


def by_middle(chance):
    ending = chance.choice(ENDINGS)
    return (
        f"*-draft-*.{ending}",
        lambda: f"{word(chance)}-draft-{digits(chance, 1)}.{ending}",
        lambda: f"{word(chance)}-final-{digits(chance, 1)}.{ending}",
    )


def by_length(chance):
    length, ending = chance.randint(2, 4), chance.choice(ENDINGS)
    return (
        f"{'?' * length}.{ending}",
        lambda: f"{word(chance)[:length]}.{ending}",
        lambda: f"{word(chance)[: length - 1]}.{ending}",
    )


def by_first_letter(chance):
    letters = sorted(chance.sample("abcdefghijklmnopq", 3))
    inside = [name for name in WORDS if name[0] in letters]
    outside = [name for name in WORDS if name[0] not in letters]
    return f"[{''.join(letters)}]*", lambda: f"{chance.choice(inside)}.txt", lambda: f"{chance.choice(outside)}.txt"


def by_number(chance):
    ending = chance.choice(ENDINGS)
    return (
        f"*[0-9].{ending}",
        lambda: f"{word(chance)}{digits(chance, 1)}.{ending}",
        lambda: f"{word(chance)}.{ending}",
    )


def by_no_number(chance):
    return "*[!0-9]", lambda: f"{word(chance)}-{word(chance)}", lambda: f"{word(chance)}-{digits(chance, 2)}"


def by_decade(chance):
    decade = chance.choice(["197", "198", "199", "200", "201"])
    return (
        f"{decade}[0-9]-*",
        lambda: f"{decade}{digits(chance, 1)}-{word(chance)}",
        lambda: f"202{digits(chance, 1)}-{word(chance)}",
    )


def by_two_endings(chance):
    ending = chance.choice(ENDINGS)
    return f"*.{ending}.gz", lambda: f"{word(chance)}.{ending}.gz", lambda: f"{word(chance)}.{ending}"


def by_hidden(chance):
    return ".*", lambda: f".{word(chance)}", lambda: word(chance)


def by_version(chance):
    major = chance.randint(1, 9)
    return (
        f"v{major}.*",
        lambda: f"v{major}.{chance.randint(0, 20)}.{chance.randint(0, 9)}",
        lambda: f"v{major}{chance.randint(0, 9)}.{chance.randint(0, 20)}.0",
    )


def by_capital(chance):
    return "[A-Z]*", lambda: f"{word(chance).capitalize()}.md", lambda: f"{word(chance)}.md"


FAMILIES = {maker.__name__.removeprefix("by_").replace("_", "-"): maker for maker in (
    by_ending, by_beginning, by_middle, by_length, by_first_letter, by_number,
    by_no_number, by_decade, by_two_endings, by_hidden, by_version, by_capital,
)}  # fmt: skip


def fits(pattern, name):
    return fnmatch.fnmatchcase(name, pattern)


def make_item(seed, family, n):
    chance = random.Random(f"{seed} {family} {n}")
    reference, draw_wanted, draw_other = FAMILIES[family](chance)
    wanted = sorted({draw_wanted() for _ in range(SHOWN + HIDDEN)})
    others = sorted({draw_other() for _ in range(SHOWN + HIDDEN)})
    chance.shuffle(wanted)
    chance.shuffle(others)
    return {
        "id": f"{family}-{seed}.{n}",
        "family": family,
        "task": "Write a pattern for these file names.",
        "detail": {
            "wanted": ", ".join(wanted[:SHOWN]),
            "others": ", ".join(others[:SHOWN]),
            "all_wanted": wanted,
            "all_others": others,
            "reference": reference,
        },
    }


def own_item(place, line):
    """A line of the user's own: {id, family, wanted, others, reference}."""
    try:
        given = json.loads(line)
        wanted, others, reference = given["wanted"], given["others"], given["reference"]
        wrong = [name for name in wanted if not fits(reference, name)] + [name for name in others if fits(reference, name)]
        if wrong:
            raise ValueError(f"the reference is wrong about {wrong[0]}")
        detail = {
            "wanted": ", ".join(wanted[:SHOWN]),
            "others": ", ".join(others[:SHOWN]),
            "all_wanted": wanted,
            "all_others": others,
            "reference": reference,
        }
        task = "Write a pattern for these file names."
        return {"id": given["id"], "family": given["family"], "task": task, "detail": detail}
    except (ValueError, KeyError, TypeError) as problem:
        raise BadInput(f"{type(problem).__name__}: {problem}", place) from problem


class BadInput(Exception):
    def __init__(self, message, where):
        super().__init__(message)
        self.where = where


def items(seed, itemsFile):
    if itemsFile is None:
        return [make_item(seed, family, n) for family in FAMILIES for n in range(1, ITEMS_PER_FAMILY + 1)]
    with open(itemsFile, encoding="utf-8") as lines:
        return [own_item(f"{itemsFile}:{n}", line) for n, line in enumerate(lines, 1) if line.strip()]


# A pattern is only looked at: a workspace holds the item and nothing that could change.
workspaces = {}


def open_workspace(workspace, item, **_):
    workspaces[workspace] = item["detail"]


def act(workspace, call):
    pattern = call["arguments"]["pattern"]
    detail = workspaces[workspace]
    matched = [name for name in detail["all_wanted"] + detail["all_others"] if fits(pattern, name)]
    return {"exitCode": 0, "stdout": "".join(f"{name}\n" for name in matched)}


def verify(workspace, call, missing):
    detail = workspaces[workspace]
    before = {"value": 0, "passed": False}  # without a pattern nothing is matched
    if call is None:
        return {"passed": False, "failureMode": missing["failureMode"], "before": before, "evidence": missing}
    pattern = call["arguments"]["pattern"]
    missed = [name for name in detail["all_wanted"] if not fits(pattern, name)]
    taken = [name for name in detail["all_others"] if fits(pattern, name)]
    mode = "too-long" if len(pattern) > LONGEST else "misses-a-name" if missed else "takes-another" if taken else None
    evidence = {"missed": missed, "taken": taken}
    # Only names that the prompt shows may be told: the others are what it is judged on.
    shown = [name for name in (missed + taken) if name in f"{detail['wanted']}, {detail['others']}".split(", ")]
    if shown:
        evidence["explanation"] = f"It is wrong about {shown[0]}."
    return {"passed": mode is None, "failureMode": mode, "before": before, "evidence": evidence}


METHODS = {
    "items": items,
    "open": open_workspace,
    "act": act,
    "verify": verify,
    "checkpoint": lambda workspace: {"name": "baseline"},
    "restore": lambda workspace, checkpoint: None,
    "close": lambda workspace: workspaces.pop(workspace) and None,
}

for line in sys.stdin:
    request = json.loads(line)
    try:
        reply = {"result": METHODS[request["method"]](**request["params"])}
    except BadInput as problem:
        reply = {"error": {"message": str(problem), "where": problem.where}}
    except Exception as problem:
        reply = {"error": f"{type(problem).__name__}: {problem}"}
    print(json.dumps({"id": request["id"], **reply}), flush=True)
