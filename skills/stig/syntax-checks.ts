/**
 * Whether changed files can still be read by the programs that they are for: a scanner's pattern matches lines that
 * sshd or auditd would choke on. A program checks its own file where it can do so without the host's kernel; the
 * others are held against the grammar of their manual page.
 */
import { auditRuleFault } from "./audit-rules.ts";
import type { Change } from "./changes.ts";
import type { Sandbox } from "./sandbox.ts";

const CHECK_LIMIT_MS = 10_000;

interface ProgramCheck {
  files: RegExp;
  words: (path: string) => string[];
}

interface GrammarCheck {
  files: RegExp;
  /** Says what is wrong with a line that is neither empty nor a comment; null where it is sound. */
  fault: (line: string) => string | null;
}

const PROGRAMS: ProgramCheck[] = [
  { files: /^etc\/ssh(\/sshd_config(\.d(\/.*)?)?)?$/, words: () => ["/usr/sbin/sshd", "-t"] },
  { files: /^etc\/sudoers(\.d(\/.*)?)?$/, words: () => ["/usr/sbin/visudo", "-c"] },
  { files: /^etc\/(passwd|shadow)$/, words: () => ["/usr/sbin/pwck", "-r", "-q"] },
  { files: /^etc\/(group|gshadow)$/, words: () => ["/usr/sbin/grpck", "-r"] },
  { files: /^etc\/(profile|bash\.bashrc|profile\.d\/.*\.sh)$/, words: (path) => ["/usr/bin/bash", "-n", `/${path}`] },
];

const like = (pattern: RegExp, form: string) => (line: string) =>
  pattern.test(line) ? null : `not of the form ${form}`;

const GRAMMARS: GrammarCheck[] = [
  { files: /^etc\/audit\/(rules\.d\/.*\.rules|audit\.rules)$/, fault: auditRuleFault },
  { files: /^etc\/login\.defs$/, fault: like(/^\s*[A-Z][A-Z0-9_]*\s+\S/, "NAME value") },
  {
    files: /^etc\/(audit\/auditd|security\/(pwquality|faillock))\.conf$/,
    fault: like(/^\s*\w+(\s*=\s*\S.*)?$/, "name = value"),
  },
  { files: /^etc\/sysctl(\.conf|\.d\/.*\.conf)$/, fault: like(/^\s*-?[\w.*/-]+\s*=\s*\S/, "name = value") },
  {
    files: /^etc\/pam\.d\/.*$/,
    fault: like(
      /^\s*(@include\s+\S+|-?(auth|account|password|session)\s+([a-z]+|\[[^\]]*\])\s+\S+.*)$/,
      "type control module",
    ),
  },
  {
    files: /^etc\/security\/limits(\.conf|\.d\/.*\.conf)$/,
    fault: like(/^\s*\S+\s+(soft|hard|-)\s+[a-z]+\s+(-?\d+|unlimited|infinity)\s*(#.*)?$/, "domain type item value"),
  },
];

/** One text for each file or program that has something to complain about. */
export async function syntaxFaults(sandbox: Sandbox, changes: readonly Change[]): Promise<string[]> {
  const files = changes.filter(({ kind }) => kind === "file");
  return [...(await programFaults(sandbox, changes)), ...(await grammarFaults(sandbox, files))];
}

async function programFaults(sandbox: Sandbox, changes: readonly Change[]): Promise<string[]> {
  const commands = PROGRAMS.flatMap(({ files, words }) =>
    changes.filter(({ path, kind }) => kind !== "folder" && files.test(path)).map(({ path }) => words(path)),
  );
  const faults: string[] = [];
  for (const command of new Map(commands.map((words) => [words.join(" "), words])).values()) {
    const { exitCode, stdout, stderr } = await sandbox.run(command, { limitMs: CHECK_LIMIT_MS, isReadOnly: true });
    if (exitCode !== 0) faults.push(`${command.join(" ")}: ${`${stderr}${stdout}`.trim() || `exit code ${exitCode}`}`);
  }
  return faults;
}

async function grammarFaults(sandbox: Sandbox, files: readonly Change[]): Promise<string[]> {
  const faults: string[] = [];
  for (const { path } of files) {
    const grammar = GRAMMARS.find((check) => check.files.test(path));
    if (grammar === undefined) continue;
    const { stdout } = await sandbox.run(["/usr/bin/cat", `/${path}`], { limitMs: CHECK_LIMIT_MS, isReadOnly: true });
    for (const [i, line] of joinedLines(stdout).entries()) {
      const fault = /^\s*(#|;|$)/.test(line) ? null : grammar.fault(line);
      if (fault !== null) faults.push(`/${path} line ${i + 1}: ${fault}: ${line}`);
    }
  }
  return faults;
}

/** Lines that end in a backslash go on in the next one; the numbers of the others stay. */
function joinedLines(text: string): string[] {
  const lines = text.split("\n");
  for (let i = lines.length - 2; i >= 0; i--) {
    if (!lines[i]?.endsWith("\\")) continue;
    lines[i] = `${lines[i]?.slice(0, -1)}${lines[i + 1]}`;
    lines[i + 1] = "";
  }
  return lines;
}
