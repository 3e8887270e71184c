/**
 * The rules of secretlint's recommended preset, called one by one: they are synchronous, while secretlint's own core
 * is not, keeps a performance mark of every call for ever and shifts offsets behind a byte order mark. Two rules are
 * left out: the one by which a comment in a text switches the others off, for a trace's text is not to be trusted, and
 * the one that reports a whole JSON file of Google's, whose key another rule finds.
 */
import { rules } from "@secretlint/secretlint-rule-preset-recommend";
import type { SecretLintRuleContext, SecretLintRuleReportDescriptor, SecretLintSourceCode } from "@secretlint/types";
import type { FoundSpan, SecretKind } from "./rule.ts";

const LEFT_OUT = ["filter-comments", "gcp"];
const KIND_OF: Record<string, SecretKind> = {
  privatekey: "KEY",
  basicauth: "PASSWORD",
  "database-connection-string": "PASSWORD",
};

/**
 * Matches every text in which a rule of the preset finds something: the words that its patterns cannot do without.
 * Source: the patterns of the installed version, 12.0.0.
 */
export const PRESET_HINT = new RegExp(
  [
    "(?:npm|gh[opsur]|github_pat|shp(?:pa|ca|at|ss)|gl(?:c|sa)|gsk|hf|lin_api|ntn|vc[piark]|dckr_pat|figd|ops)_[\\w+/-]{20}",
    ":\\/\\/[^:/\\s]{1,256}:[^@/\\s]{1,256}@",
    ":x-oauth-basic@|_authToken=",
    "x(?:ox[abpor]|app)-|[Hh][Oo][Oo][Kk][Ss]\\.[Ss][Ll][Aa][Cc][Kk]\\.",
    "SG\\.\\w|T3BlbkFJ|sk-ant-api|glpat-[\\w-]{20}|hv[sbr]\\.[\\w-]{20}|dapi[A-Fa-f0-9]{32}",
    "PRIVATE KEY|(?:SECRET|secret|Secret)_?(?:ACCESS|access|Access)",
  ].join("|"),
);

/** Finds what the preset finds, whatever the hint says of the text. */
export function presetScan(): (text: string) => FoundSpan[] {
  const found: { rule: string; report: SecretLintRuleReportDescriptor }[] = [];
  const all = rules.flatMap((creator) => {
    const rule = creator.meta.id.replace("@secretlint/secretlint-rule-", "");
    if (LEFT_OUT.includes(rule)) return [];
    return [
      {
        rule,
        run: creator.create(
          contextOf((report) => found.push({ rule, report })),
          {},
        ),
      },
    ];
  });
  return (text) => {
    found.length = 0;
    for (const { rule, run } of all) {
      // One rule looks for some tokens only in files of these names, and the others look at none.
      run.file?.(sourceOf(text, "package.json"));
      if (rule === "npm") run.file?.(sourceOf(text, ".npmrc"));
    }
    const spans = found.map(({ rule, report }) => spanOf(text, rule, report));
    // A manual's `://<user>:<password>@` is taken for a password.
    return spans.filter(({ kind, start }) => kind !== "PASSWORD" || text[start] !== "<");
  };
}

/** Some ranges begin before what they report, so the reported value itself is looked for. */
function spanOf(text: string, rule: string, report: SecretLintRuleReportDescriptor): FoundSpan {
  const reported = Object.values((report.message.data ?? {}) as Record<string, string>)[0] ?? "";
  const kind = KIND_OF[rule] ?? "TOKEN";
  let start = Math.max(report.range[0], text.indexOf(reported, report.range[0]));
  let end = start + reported.length;
  if (kind === "PASSWORD") {
    const password = /:\/\/[^:/\s]{1,256}:([^@/\s]{1,256})@/d.exec(reported)?.indices?.[1] ?? [0, reported.length];
    [start, end] = [start + password[0], start + password[1]];
  }
  if (rule === "npm") end = start + (/^[^\s"'\\]+/.exec(reported)?.[0].length ?? reported.length);
  return { rule: `preset/${rule}`, kind, start, end };
}

function contextOf(report: (descriptor: SecretLintRuleReportDescriptor) => void): SecretLintRuleContext {
  return {
    sharedOptions: {},
    // Messages are for people, and hold the secret: none is made.
    createTranslator: () => (messageId, data) => ({ message: "", messageId: String(messageId), data }),
    report,
    ignore: () => {},
  };
}

function sourceOf(content: string, filePath: string): SecretLintSourceCode {
  return { content, filePath, ext: "", contentType: "text", hasBOM: false } as SecretLintSourceCode;
}
