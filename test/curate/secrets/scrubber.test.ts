import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findings, openScrubber } from "../../../src/curate/secrets/scrubber.ts";
import { random } from "../../../src/foundation/random.ts";
import { harmlessSamples, secretSamples } from "./corpus.ts";
import { filled } from "./fake-secrets.ts";

const scrubber = await openScrubber();
const texts = [...secretSamples(), ...harmlessSamples()].map(({ text }) => text);
const glue = fc.constantFrom("", " ", "\n", "\\n", "/", ":", "@", "=", '"', "<USER_2>", "\ud83d", "\0", "é");
/** Texts of the corpus run together, so that one secret's end meets another's beginning. */
const mixed = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom(...texts), fc.string({ unit: "binary" })), glue), { maxLength: 8 })
  .map((all) => all.flat().join(""));

describe("a scrubbed text", () => {
  it("has the same placeholder for the same secret, in every text of the trace", () => {
    const trace = scrubber.trace();
    expect(trace.scrub("ssh ann.lee@db7.prod.corp; cat /home/ann.lee/x; ping db8.prod.corp")).toBe(
      "ssh <USER_1>@<HOST_1>; cat /home/<USER_1>/x; ping <HOST_2>",
    );
    expect(trace.scrub("DB8.prod.corp is down, mail ann.lee@acmeworks.io")).toBe("<HOST_2> is down, mail <EMAIL_1>");
    expect(trace.counts()).toEqual({ USER: 2, HOST: 3, EMAIL: 1 });
  });

  it("starts anew in another trace", () => {
    const scrub = (text: string) => scrubber.trace().scrub(text);
    expect([scrub("ping 10.0.0.9"), scrub("ping 10.0.0.8")]).toEqual(["ping <HOST_1>", "ping <HOST_1>"]);
  });

  it("takes no number that a placeholder of the trace's texts already has", () => {
    const trace = scrubber.trace();
    expect(trace.scrub("<HOST_4> and 10.0.0.9 and <USER_1>")).toBe("<HOST_4> and <HOST_5> and <USER_1>");
    expect(trace.scrub("10.0.0.8, /home/annlee")).toBe("<HOST_6>, /home/<USER_2>");
  });

  it("keeps the shape of a URL around its account, password and host", () => {
    const text = filled("postgres://annlee:{password}@db7.prod.internal:5432/app", random("url"));
    expect(scrubber.trace().scrub(text)).toBe("postgres://<USER_1>:<PASSWORD_1>@<HOST_1>:5432/app");
  });

  it("is the very same string where there was nothing to replace", () => {
    for (const { text } of harmlessSamples().slice(0, 50)) expect(scrubber.trace().scrub(text)).toBe(text);
  });

  it("is a sound JSON text again where it was one", () => {
    const quoted = JSON.stringify([filled('docker login -u acme -p {password}"', random("quoted"))]);
    expect(JSON.parse(scrubber.trace().scrub(quoted))).toEqual(['docker login -u acme -p <PASSWORD_1>"']);
    fc.assert(
      fc.property(mixed, mixed, (key, value) => {
        const text = JSON.stringify({ [key]: [value] });
        expect(() => JSON.parse(scrubber.trace().scrub(text))).not.toThrow();
      }),
    );
  });

  it("is changed no further when it is scrubbed again, and holds no finding", async () => {
    await fc.assert(
      fc.asyncProperty(mixed, async (text) => {
        const trace = scrubber.trace();
        const once = trace.scrub(text);
        expect(trace.scrub(once)).toBe(once);
        expect(scrubber.trace().scrub(once)).toBe(once);
        expect(await findings(once)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("is the same at every time, for all texts", () => {
    fc.assert(
      fc.property(fc.array(mixed, { maxLength: 3 }), (all) => {
        const [first, second] = [scrubber.trace(), scrubber.trace()];
        expect(all.map((text) => first.scrub(text))).toEqual(all.map((text) => second.scrub(text)));
      }),
    );
  });
});

describe("a hostile text", () => {
  const MEGABYTE = 1 << 20;
  const SEEDS = [
    ...[
      "a",
      "1",
      ".",
      "-",
      "@",
      ":",
      "/",
      "\\",
      "\0",
      "\ud800",
      "é",
      " ",
      "<",
      "$",
      "=",
      "a.",
      "1.",
      "a@",
      "ab:",
      "://",
      "::",
    ],
    ...[
      "1.1.1.1 ",
      "a@b.co ",
      "aa:",
      "2a01:",
      "eyJ.",
      "-eyJa",
      "://a:",
      "://a:b@",
      "password",
      "password=",
      "password: ",
      "token ",
    ],
    ...[
      "ssh ",
      "ssh -p ",
      "ssh -o a ",
      "a@b ",
      "sk-",
      "sk-ant-",
      "SG.",
      "SG.a.",
      "xoxb-",
      "xoxb-a-",
      "ghp_",
      "/home/",
      "C:\\Users\\",
    ],
    ...[
      "-----BEGIN PRIVATE KEY-----",
      "-----BEGIN PRIVATE KEY-----\nMII",
      "LS0tLS1CRUdJTi",
      "$6$",
      "$6$a$",
      "mysql ",
      "curl -u ",
      "Bearer ",
    ],
    ...[
      "<HOST_1>",
      "a.local ",
      ".internal",
      "jdbc:mysql://",
      "secret_access_key ",
      "_authToken=",
      "figd_",
      "bot1:AA",
      "\\\\n",
      "AKIA",
    ],
  ];

  it.each(SEEDS)("of one megabyte of %j is read to its end", (seed) => {
    // A pattern that is quadratic in the text would take hours, and a cubic one for ever.
    const text = seed.repeat(Math.ceil(MEGABYTE / seed.length));
    const trace = scrubber.trace();
    const scrubbed = trace.scrub(text);
    expect(scrubbed === text).toBe(Object.keys(trace.counts()).length === 0);
  });

  it("never makes it throw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        expect(typeof scrubber.trace().scrub(text)).toBe("string");
      }),
      { numRuns: 1000 },
    );
  });
});
