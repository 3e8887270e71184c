/** Names of hosts below a private network's own top levels; a file such as `.env.local` looks alike and is none. */
import { isCommonHost, PRIVATE_TOP_LEVEL } from "../known-names.ts";
import type { SecretRule } from "../rule.ts";

/** What code and files call local or internal. */
const NO_HOST =
  /^(?:rc|env|settings|config|conf|jail|override|threading|thread|self|this|cls|obj|pkg|package|module|app|user|users|storage|paths?|dirs?|symbol|system|window|module|scope|vars?|ctx|context|state|default|defaults|compose|docker-compose|makefile|gitconfig|com|org|net|io|\w*rc)\.(?:internal|local)$/i;

const TOP_LEVEL = new RegExp(String.raw`${PRIVATE_TOP_LEVEL}(?![\w-]|\.\w|\()`, "gi");
const LABELS = /(?<![\w.-])[a-z0-9_][a-z0-9_-]{0,62}(?:\.[a-z0-9_][a-z0-9_-]{0,62}){0,7}$/i;
const LONGEST_NAME = 253;

const rule: SecretRule = {
  summary: "host names in .internal, .local, .lan, .corp, .intra, .intranet, .localdomain and .home.arpa",
  hint: new RegExp(PRIVATE_TOP_LEVEL, "i"),
  *find(text) {
    // From the top level backwards: to look for the labels first would try every letter of every word.
    for (const { 0: topLevel, index: dot } of text.matchAll(TOP_LEVEL)) {
      const before = text.slice(Math.max(0, dot - LONGEST_NAME), dot);
      const labels = LABELS.exec(before)?.[0];
      if (labels === undefined) continue;
      const index = dot - labels.length;
      const name = labels + topLevel;
      if (isMember(name, text.slice(index + name.length, index + name.length + 4))) continue;
      // One slash is a path's; two are those of a URL or of a share.
      const isFile = /[^/\\][/]$|^[/]$/.test(text.slice(Math.max(0, index - 2), index));
      if (isFile || NO_HOST.test(name) || isCommonHost(name) || /^(?:com|org|net|io)\./i.test(name)) continue;
      yield { kind: "HOST", start: index, end: index + name.length };
    }
  },
};

/** `node.local = x`, `args.local ? a : b`: a field of a variable. */
function isMember(name: string, after: string): boolean {
  return /^[A-Za-z_]\w*\.(?:local|internal)$/.test(name) && /^\)?(?:\s?(?:=[^\w]|\?|\|\||&&|[!=]==?)|;)/.test(after);
}

export default rule;
