/** The security content: what is read from it, what is cut from it, and what is refused. */
import { copyFileSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROFILE, readDatastream, rulesOf } from "../../../skills/stig/datastream.ts";
import { draftsOf } from "../../../skills/stig/items.ts";
import { manifest } from "../../../skills/stig/manifest.ts";
import { startSandbox } from "../../../skills/stig/sandbox.ts";
import { scan } from "../../../skills/stig/scan.ts";
import { DATASTREAM } from "../../../skills/stig/setup-folder.ts";
import { parseXml, writeXml } from "../../../skills/stig/xml.ts";
import { splitOf } from "../../../src/skills/splits.ts";
import { ruleNamed, stig } from "./set-up.ts";

describe("XML", () => {
  it("is written again with its prefixes, entities and attributes", () => {
    const text = '<?xml version="1.0"?>\n<a:x xmlns:a="u" b="1 &lt; &quot;2&quot;">t &amp; u<a:y/></a:x>\n';
    expect(writeXml(parseXml(text, "x.xml"))).toBe(text);
  });

  it.each([
    ["is cut off", "<a><b></a>"],
    ["is none", "PK\u0003"],
    ["names an entity from outside", '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'],
  ])("that %s is refused with its place", (_, text) => {
    expect(() => parseXml(text, "content.xml")).toThrow(expect.objectContaining({ code: "BAD_XML" }));
    expect(() => parseXml(text, "content.xml")).toThrow("not well-formed");
  });

  it("that is no data stream is refused with what is missing", () => {
    const refusal = expect.objectContaining({ code: "BAD_DATASTREAM" });
    expect(() => readDatastream("<a/>", "content.xml")).toThrow(refusal);
  });
});

describe.skipIf(stig === null)("the set-up content", () => {
  const file = join(stig?.folders.root ?? "", DATASTREAM);

  it("gives the same results cut down as whole, for all rules at once and one by one", async () => {
    const folders = stig?.folders as NonNullable<typeof stig>["folders"];
    const whole = mkdtempSync(join(tmpdir(), "tracemill-whole-"));
    copyFileSync(file, join(whole, "all.xml"));
    const [cut, uncut] = await Promise.all([
      startSandbox(folders, null),
      startSandbox({ ...folders, content: whole }, null),
    ]);
    const { results: expected, fault, output } = await scan(uncut, "all");
    expect({ fault, exitCode: output.exitCode }, output.stderr).toEqual({ fault: null, exitCode: 2 });
    expect(expected.size, output.stderr).toBe(stig?.setup.rules.length);
    expect((await scan(cut, "all")).results).toEqual(expected);
    const rules = [...expected.keys()];
    for (const rule of process.env.TRACEMILL_LONG ? rules : rules.filter((_, i) => i % 12 === 0)) {
      expect([...(await scan(cut, rule)).results]).toEqual([[rule, expected.get(rule)]]);
    }
    await Promise.all([cut.close(), uncut.close()]);
  });

  it("gives rules with their values filled in, without markup", () => {
    const rule = rulesOf(readDatastream(readFileSync(file, "utf8"), file)).find(({ id }) =>
      id.endsWith("accounts_maximum_age_login_defs"),
    );
    expect(rule?.description.split("\n")[1]).toBe("PASS_MAX_DAYS 60");
    expect(rule).toMatchObject({ severity: "medium", identifiers: ["UBTU-20-010008"], paths: ["/etc/login.defs"] });
    expect(rule?.fix).toContain("var_accounts_maximum_age_login_defs='60'");
    expect(PROFILE).toContain("stig");
  });

  it("makes items of attainable rules alone, and keeps the reason of every other", () => {
    const { setup } = stig as NonNullable<typeof stig>;
    expect(draftsOf(setup).length).toBe(setup.rules.filter(({ isAttainable }) => isAttainable).length);
    expect(setup.rules.every(({ isAttainable, reason }) => isAttainable === (reason === null))).toBe(true);
    expect(ruleNamed("package_ufw_installed").reason).toContain("installs a package");
    expect(ruleNamed("no_duplicate_uids").reason).toBe("it is pass on the root as set up");
  });

  it("spreads its families over the splits, audit rules by what they watch", () => {
    const families = [...new Set(draftsOf((stig as NonNullable<typeof stig>).setup).map(({ family }) => family))];
    const count = (split: string) => families.filter((family) => splitOf(manifest, family) === split).length;
    expect([count("train") >= 14, count("validation") >= 4, count("test") >= 12]).toEqual([true, true, true]);
    expect(families).toContain("watched:/usr/bin/chage");
    expect(ruleNamed("sshd_use_approved_ciphers_ordered_stig").family).toBe("file:/etc/ssh/sshd_config");
  });
});
