/** The account in the path of a home folder, on Linux, macOS and Windows. */
import { isCommonAccount } from "../known-names.ts";
import type { SecretRule } from "../rule.ts";

const FILE = /\.(?:html?|tsx?|jsx?|css|vue|php|py|md|json|png|svg)$/i;

const rule: SecretRule = {
  summary: "accounts in paths of home folders",
  hint: /[/\\](?:home|Users)[/\\]?/i,
  *find(_text, raw) {
    // The escapes are looked at as they are: in `C:\Users\nancy` the letter belongs to the name.
    const pattern = /(?:(\/(?:home|Users)\/)|(?<=[A-Za-z]:)(?:\\{1,4}|\/)Users(?:\\{1,4}|\/))([A-Za-z_][\w.-]{0,63})/dg;
    for (const { 1: unix, 2: written = "", index, indices } of raw.matchAll(pattern)) {
      const name = written.replace(/[.-]+$/, "");
      if (isCommonAccount(name) || FILE.test(name)) continue;
      if (unix !== undefined && !startsPath(raw.slice(Math.max(0, index - 64), index))) continue;
      const [start = 0] = indices?.[2] ?? [];
      yield { kind: "USER", start, end: start + name.length };
    }
  },
};

/** Tells `/var/home/name` from a URL's `example.com/home/page` and a module's `@/home/page`. */
function startsPath(before: string): boolean {
  const word = /[^\s"'`=:,;([{<>|]*$/.exec(before)?.[0] ?? "";
  if (word === "" || before.endsWith("file://")) return true;
  return /^(?:~?\/(?!\/)|[.]{1,2}\/|\\[nrt]$|\}$)/.test(word);
}

export default rule;
