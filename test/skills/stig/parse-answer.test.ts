/** How a script is read from an answer. */
import { describe, expect, it } from "vitest";
import { auditRuleFault } from "../../../skills/stig/audit-rules.ts";
import { answerText, fixCall, parseAnswer } from "../../../skills/stig/parse-answer.ts";

const said = (content: string) => parseAnswer({ role: "assistant", content });
const called = (name: string, args: string | Record<string, string>) =>
  parseAnswer({
    role: "assistant",
    content: "ignored",
    tool_calls: [{ type: "function", function: { name, arguments: args } }],
  });

describe("an answer", () => {
  it("is its first bash block, whatever stands around it", () => {
    expect(said("Here:\n```bash\necho a\necho b\n```\nDone.")).toEqual({ call: fixCall("echo a\necho b") });
    expect(said("```python\nx\n```\n```sh\necho a\n```")).toEqual({ call: fixCall("echo a") });
    expect(said("```bash\necho a")).toEqual({ call: fixCall("echo a") });
  });

  it("without a block is a script as a whole", () => {
    expect(said("  echo a >> /etc/b\n")).toEqual({ call: fixCall("echo a >> /etc/b") });
  });

  it.each(["", " \n", "```bash\n```", "```"])("like %j holds no script", (text) => {
    expect(said(text)).toMatchObject({ failureMode: "no-script" });
  });

  it("with a tool call is that call, not its text", () => {
    expect(called("apply_fix", '{"script":"echo a","description":"d"}')).toEqual({
      call: { name: "apply_fix", arguments: { script: "echo a", description: "d" } },
    });
    expect(called("apply_fix", { script: "echo a" })).toEqual({ call: fixCall("echo a") });
  });

  it.each([
    ["apply_fix", "{broken", "no JSON"],
    ["apply_fix", "[]", "expected object"],
    ["apply_fix", "{}", "script: "],
    ["apply_fix", '{"script":""}', "not empty"],
    ["apply_fix", '{"script":1}', "expected string"],
    ["apply_fix", '{"script":"a","force":true}', "force"],
    ["apply_fix", '{"script":"a\\u0000b"}', "NUL"],
    ["apply_fix", `{"script":"${"a".repeat(70_000)}"}`, "longer than"],
    ["run_shell", '{"script":"a"}', "run_shell does not exist"],
  ])("with the call %s(%.30s) has wrong arguments and says which", (name, args, reason) => {
    const parsed = called(name, args);
    expect(parsed).toMatchObject({ failureMode: "bad-arguments", reason: expect.stringContaining(reason) });
  });

  it.each(["echo a", "cat <<E\n```\nE", "a\n\nb"])("is written so that it is read back: %j", (script) => {
    expect(said(answerText(fixCall(script)))).toEqual({ call: fixCall(script) });
  });
});

describe("a line of audit rules", () => {
  it.each([
    "-a always,exit -F arch=b64 -S chmod,fchmod -F auid>=1000 -F auid!=unset -F key=perm_mod",
    "-a always,exit -F path=/usr/bin/su -F perm=x -k privileged",
    "-a always,exit -F arch=b32 -C uid!=euid -F euid=0 -S execve -k setuid",
    "-w /etc/group -p wa -k identity",
    "-D",
    "-b 8192",
    "-e 2",
    "--backlog_wait_time 60000",
  ])("is sound: %s", (line) => {
    expect(auditRuleFault(line)).toBeNull();
  });

  it.each([
    "-w -p wa nonsense",
    "-w etc/group",
    "-a always -S chmod",
    "-a sometimes,exit -S chmod",
    "-S chmod",
    "-F auid>=1000",
    "-a always,exit -F user>=1000",
    "-a always,exit -F arch=b128 -S chmod",
    "-w /etc/group -p q",
    "-a always,exit -S",
    "add a rule",
    "-w /etc/group -p wa -k key trailing",
  ])("is unsound: %s", (line) => {
    expect(auditRuleFault(line)).not.toBeNull();
  });
});
