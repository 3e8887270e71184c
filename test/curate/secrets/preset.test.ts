/** Holds our way of calling the preset, and the hint that spares most texts the call, against secretlint itself. */
import { lintSource } from "@secretlint/core";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import { describe, expect, it } from "vitest";
import { PRESET_HINT, presetScan } from "../../../src/curate/secrets/preset.ts";
import { random } from "../../../src/foundation/random.ts";
import { harmlessSamples, secretSamples } from "./corpus.ts";
import { filled } from "./fake-secrets.ts";

const config = { rules: [{ id: creator.meta.id, rule: creator }] };
const texts = [...secretSamples(), ...harmlessSamples()].map(({ text }) => text);
/** Rules of the preset look for some secrets only in files of these names. */
const FILE_NAMES = ["a.txt", "package.json", ".npmrc"];

const TEMPLATES = [
  "const t='{github}'",
  "gh{githubOauth}",
  "{githubFine}",
  "{gitlab}.",
  "{slackBot} {slackUser}",
  "{slackHook}",
  'aws_secret_access_key = "{awsSecret}"',
  "AwsSecretAccessKey: {awsSecret}",
  "{openai}",
  "{openaiOld}",
  "{anthropic}",
  "{huggingface}",
  "{npm}",
  "//r.example/:_authToken={uuid}",
  "https://{hex40}:x-oauth-basic@github.com/acme/a.git",
  "{sendgrid}",
  "{shopify}",
  "{linear}",
  "{notion}",
  "{vault}",
  "{databricks}",
  "{docker}",
  "{figma}",
  "{groq}",
  "{vercel}",
  "{grafana}",
  "glc_{opaque}",
  "{onePassword}",
  "{pem}",
  "{pemPkcs8}",
  "{pemOpenssh}",
  "{pemEscaped}",
  "https://bob:{hex32}@host.tld/",
  "postgres://bob:{password}@db/x",
  "MySQL://bob:{password}@db/x",
  "mongodb+srv://bob:{password}@db/x",
];

const scan = presetScan();
const filledIn = [...texts, ...TEMPLATES.map((template, i) => filled(template, random("preset", i)))];

/**
 * The rules that find something, without the two that are left out. The core looks at few texts only: each call makes
 * the next ones slower.
 */
async function linted(content: string): Promise<string[]> {
  const found: string[] = [];
  for (const filePath of FILE_NAMES) {
    const source = { content, filePath, ext: "", contentType: "text" as const };
    const { messages } = await lintSource({ source, options: { config } });
    for (const { ruleId, data } of messages) found.push(`${ruleId} ${Object.values(data ?? {})[0]}`);
  }
  return [...new Set(found)].sort();
}

describe("the preset", () => {
  it("finds the same in the whole corpus by our calls as by secretlint's own core", async () => {
    const text = filledIn.join("\n");
    const byCore = await linted(text);
    const ours = scan(text).map(({ rule, start, end }) => ({
      id: rule.replace("preset/", "@secretlint/secretlint-rule-"),
      secret: text.slice(start, end),
    }));
    // Ours is the secret itself, the core's may be the URL or the line around it.
    const isSame = (found: string, { id, secret }: { id: string; secret: string }) =>
      found.startsWith(`${id} `) && found.includes(secret);
    expect(byCore.filter((found) => !ours.some((one) => isSame(found, one)))).toEqual([]);
    expect(ours.filter((one) => !byCore.some((found) => isSame(found, one)))).toEqual([]);
    const all = creator.rules.map(({ meta }) => meta.id).filter((id) => !/-(?:filter-comments|gcp)$/.test(id));
    expect([...new Set(ours.map(({ id }) => id))].sort()).toEqual(all.sort());
  });

  it("finds nothing in a text that the hint lets pass unread", () => {
    const found = filledIn.filter((text) => scan(text).length > 0);
    expect(found.length).toBeGreaterThan(80);
    expect(found.filter((text) => !PRESET_HINT.test(text))).toEqual([]);
  });

  it("reports where the secret itself stands", () => {
    const secret = filled("{awsSecret}", random("aws"));
    const [span] = scan(`x\nAWS_SECRET_ACCESS_KEY="${secret}"`);
    expect(`x\nAWS_SECRET_ACCESS_KEY="${secret}"`.slice(span?.start, span?.end)).toBe(secret);
    const url = `postgres://ann:${secret.replaceAll("/", "-")}@db/x`;
    const [password] = scan(url);
    expect(url.slice(password?.start, password?.end)).toBe(secret.replaceAll("/", "-"));
  });

  it("is not switched off by a comment in the text", () => {
    const text = filled("// secretlint-disable\n{github}", random("comment"));
    expect(presetScan()(text).map(({ rule }) => rule)).toEqual(["preset/github"]);
  });
});
