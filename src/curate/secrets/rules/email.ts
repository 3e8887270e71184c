/** E-mail addresses; a login, an algorithm (`...@openssh.com`), a systemd unit or an image for two densities is none. */
import { isCommonMailbox, isPrivateName } from "../known-names.ts";
import { isInUrl, isLogin } from "../login.ts";
import type { SecretRule } from "../rule.ts";

const NO_TOP_LEVEL =
  /\.(?:png|jpe?g|gif|svg|webp|ico|css|js|mjs|ts|tsx|json|py|service|socket|timer|target|mount|slice|scope|path|device|swap)$/i;

const rule: SecretRule = {
  summary: "e-mail addresses other than those of documentation",
  hint: /@[A-Za-z0-9-]{1,63}\./,
  *find(text) {
    // From the sign to both sides: to look for the part before it first would be quadratic in a long word.
    for (const { 0: match, index } of text.matchAll(
      /@(?:[a-z0-9](?:[a-z0-9-]{0,62})\.){1,8}[a-z]{2,24}(?![\w-]|\.\w)/gi,
    )) {
      const host = match.slice(1);
      const name = /[\w.%+-]{1,64}$/.exec(text.slice(Math.max(0, index - 64), index))?.[0].replace(/^[.%-]+/, "") ?? "";
      const start = index - name.length;
      if (name === "" || isCommonMailbox(name, host) || NO_TOP_LEVEL.test(host) || isPrivateName(host)) continue;
      if (isInUrl(text, start) || isLogin(text, { host, start, hostStart: index + 1 })) continue;
      yield { kind: "EMAIL", start, end: index + match.length };
    }
  },
};

export default rule;
