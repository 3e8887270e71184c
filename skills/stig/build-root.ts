/**
 * Makes the root filesystem that is scanned: a minimal Debian 12 with the services that the rules are about, the
 * scanner and its content, dressed as Ubuntu 20.04 so that the content applies. Packages come from the mirror that
 * this machine's own apt uses, or the whole root from a tarball where there is none.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure, Refusal } from "../../src/foundation/errors.ts";
import { type Ended, runProgram } from "./process-output.ts";
import { DATASTREAM, SCANNER } from "./setup-folder.ts";

const SUITE = "bookworm";
const PACKAGES = [
  "openssh-server",
  "login",
  "passwd",
  "libpam-pwquality",
  "sudo",
  "auditd",
  "openscap-scanner",
  "ssg-debderived",
];
const BUILD_LIMIT_MS = 15 * 60_000;

const PACKAGED_DATASTREAM = "usr/share/xml/scap/ssg/content/ssg-ubuntu2004-ds.xml";

const RELEASE = `DISTRIB_ID=Ubuntu
DISTRIB_RELEASE=20.04
DISTRIB_CODENAME=focal
DISTRIB_DESCRIPTION="Ubuntu 20.04 LTS"
`;

/** About how many things debootstrap says that it did, fetched and configured packages among them. */
const BUILD_STEPS = 700;

export interface BuildOptions {
  /** A tarball of the root. */
  from?: string;
  signal: AbortSignal;
  onStep(done: number, total: number): void;
}

/** Throws: `NO_MIRROR`; `BAD_TARBALL`, also where it is not there; a failure of the setup's boundary where a program fails. */
export async function buildRoot(root: string, { from, signal, onStep }: BuildOptions): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o755 });
  const total = from === undefined ? BUILD_STEPS : 1;
  onStep(0, total);
  if (from === undefined) await build(root, signal, (done) => onStep(Math.min(done, total - 1), total));
  else await unpack(root, from, signal);
  onStep(total, total);
}

async function build(root: string, signal: AbortSignal, onStep: (done: number) => void): Promise<void> {
  const { mirror, environment } = await aptSource();
  const words = ["debootstrap", "--variant=minbase", `--include=${PACKAGES.join(",")}`, SUITE, root, mirror];
  let done = 0;
  await runStep(["env", ...environment, ...words], signal, () => onStep(++done));
  await mkdir(join(root, "opt/scap"), { recursive: true });
  await rename(join(root, PACKAGED_DATASTREAM), join(root, DATASTREAM));
  await runStep(["chroot", root, "dpkg", "--purge", "ssg-debderived"], signal);
  await writeFile(join(root, "etc/lsb-release"), RELEASE, { mode: 0o644 });
  await writeFile(join(root, "etc/apt/sources.list"), "");
  for (const name of ["resolv.conf", "hosts", "hostname"]) await writeFile(join(root, "etc", name), "");
  await runStep(["chroot", root, "apt-get", "clean"], signal);
  for (const folder of ["var/lib/apt/lists", "tmp", "var/log/apt"]) await empty(join(root, folder));
  await rm(join(root, "var/log/bootstrap.log"), { force: true });
  await runStep(["chroot", root, "apt-cache", "gencaches"], signal);
}

/** Each package's version, by name. */
export async function packagesIn(root: string): Promise<Record<string, string>> {
  const status = await readFile(join(root, "var/lib/dpkg/status"), "utf8");
  const stanzas = status.split(/\n\n+/).map((stanza) => ({
    name: /^Package: (.+)$/m.exec(stanza)?.[1],
    version: /^Version: (.+)$/m.exec(stanza)?.[1],
  }));
  return Object.fromEntries(stanzas.flatMap(({ name, version }) => (name && version ? [[name, version]] : [])));
}

async function unpack(root: string, from: string, signal: AbortSignal): Promise<void> {
  await runStep(["tar", "-xpf", from, "-C", root, "--numeric-owner"], signal).catch((cause) => {
    throw cause instanceof Failure && !signal.aborted ? badTarball(from, cause.message) : cause;
  });
  const needed = [SCANNER, DATASTREAM, "etc/lsb-release", "var/lib/dpkg/status"];
  for (const path of needed) {
    await readFile(join(root, path)).catch(() => {
      throw badTarball(from, `no ${path}`);
    });
  }
}

/** The Debian mirror of this machine's apt, and the proxy that it goes through. Throws: `NO_MIRROR`. */
async function aptSource(): Promise<{ mirror: string; environment: string[] }> {
  const targets = await aptWords([
    "apt-get",
    "indextargets",
    "--format",
    "$(ORIGIN) $(REPO_URI)",
    "Created-By: Packages",
  ]);
  const mirrors = targets.filter(([origin, mirror = ""]) => origin === "Debian" && !/security/.test(mirror));
  const mirror = mirrors[0]?.[1];
  if (mirror === undefined) throw noMirror();
  const proxies = await aptWords(["apt-config", "dump", "--format", "%f %v%n", "Acquire::http::Proxy"]);
  const proxy = proxies.find(([name]) => name === "Acquire::http::Proxy")?.[1];
  return { mirror, environment: proxy ? [`http_proxy=${proxy}`, `https_proxy=${proxy}`] : [] };
}

async function aptWords(command: readonly string[]): Promise<string[][]> {
  const { exitCode, stdout } = await runProgram(command, { limitMs: 30_000 });
  return exitCode === 0 ? stdout.split("\n").map((line) => line.trim().split(" ")) : [];
}

/** In a mount and process namespace of its own: what debootstrap mounts and starts goes when it does. */
async function runStep(
  command: readonly string[],
  signal: AbortSignal,
  onLine?: (line: string) => void,
): Promise<Ended> {
  const alone = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--"];
  const ended = await runProgram([...alone, ...command], {
    limitMs: BUILD_LIMIT_MS,
    signal,
    ...(onLine && { onLine }),
  });
  signal.throwIfAborted();
  if (ended.exitCode === 0) return ended;
  const program = command.find((word) => !["env", "chroot"].includes(word) && !/[=/]/.test(word));
  const said = `${ended.stdout}\n${ended.stderr}`.trim().split("\n").slice(-3).join("; ");
  throw new Failure({ boundary: "setup", code: "BUILD_FAILED", message: `${program} failed: ${said}` });
}

async function empty(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) await rm(join(folder, name), { recursive: true });
}

function noMirror(): Refusal {
  return new Refusal({
    code: "NO_MIRROR",
    message: "This machine's apt knows no Debian mirror to build the root from.",
    expected: "a source of origin Debian, as `apt-get indextargets` lists it",
    fix: "apt-get update, or on a machine without one: tracemill skill setup stig --from TARBALL (skills/stig/README.md says how to make it)",
  });
}

function badTarball(from: string, got: string): Refusal {
  return new Refusal({
    code: "BAD_TARBALL",
    message: "The tarball does not hold the root of a set-up skill stig.",
    expected: `an archive of a root filesystem with ${SCANNER} and ${DATASTREAM}`,
    got,
    where: from,
    fix: "make it on a machine with a Debian mirror, as skills/stig/README.md says",
  });
}
