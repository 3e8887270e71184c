/** Tokens that show by their own prefix and length what they are, where the preset does not know them. */
import type { SecretRule } from "../rule.ts";

/**
 * Source: the token formats that each vendor documents; AWS, Google, OpenAI, Anthropic, Stripe, Slack, SendGrid, PyPI,
 * DigitalOcean, Telegram, Mailgun, GitLab, GitHub, Tailscale, NVIDIA, Replicate, xAI, Atlassian, RubyGems, New Relic, Vault.
 */
const FORMS = [
  "(?:AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA)[A-Z0-9]{16}(?![A-Za-z0-9])",
  "AIza[\\w-]{35}",
  "ya29\\.[\\w-]{20,2000}",
  "GOCSPX-[\\w-]{20,100}",
  "sk-(?:proj|svcacct|admin|ant|or)-[\\w-]{20,300}",
  "sk-[A-Za-z0-9]{32,100}",
  "(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,200}",
  "whsec_[A-Za-z0-9+/]{24,100}",
  "xox[a-z]-[A-Za-z0-9-]{20,300}",
  "SG\\.[\\w-]{16,40}\\.[\\w-]{16,80}",
  "pypi-AgE[\\w-]{50,400}",
  "do[opr]_v1_[a-f0-9]{64}",
  "key-[0-9a-f]{32}",
  "gl(?:dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[\\w-]{20,128}",
  "ghs_[0-9]{1,20}_[\\w.-]{40,2000}",
  "tskey-[a-z]{2,10}-[A-Za-z0-9-]{16,100}",
  "nvapi-[\\w-]{40,120}",
  "r8_[A-Za-z0-9]{37}",
  "xai-[A-Za-z0-9]{40,100}",
  "ATATT3[\\w=-]{50,300}",
  "rubygems_[a-f0-9]{48}",
  "NRAK-[A-Z0-9]{27}",
  "hv[sbr]\\.[\\w-]{24,300}",
];

/** Its own URL has the word `bot` before it. */
const TELEGRAM = "(?:(?<![A-Za-z0-9])|(?<=/bot))[0-9]{8,10}:AA[\\w-]{33}";

/** Words with a character or two that every form needs, so that a text is seldom looked at twice. */
const HINT =
  /A(?:KIA|SIA|GPA|IDA|ROA|IPA|NPA|NVA|Iza|TATT3)\w|ya29\.|GOCSPX-|[sr]k[-_](?:proj|svcacct|admin|ant|or|live|test|[A-Za-z0-9]{32})|whsec_|xox[a-z]-|SG\.\w|pypi-A|_v1_|:AA\w|key-[0-9a-f]{32}|tskey-|gl[a-z]{2,5}-\w{8}|ghs_|nvapi-|r8_\w|xai-|rubygems_|NRAK-|hv[sbr]\.\w/;

const rule: SecretRule = {
  summary: "tokens of known vendors that the preset leaves out",
  hint: HINT,
  *find(text) {
    for (const { 0: token, index } of text.matchAll(
      new RegExp(`${TELEGRAM}|(?<![A-Za-z0-9])(?:${FORMS.join("|")})`, "g"),
    )) {
      // The names of AWS's own documentation end so.
      if (token.endsWith("EXAMPLE") || !/\d/.test(token)) continue;
      yield { kind: "TOKEN", start: index, end: index + token.length };
    }
  },
};

export default rule;
