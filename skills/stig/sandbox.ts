/**
 * One root filesystem that a script may change: an overlay over the set-up root, its changes in memory, seen by
 * nobody else. A small process holds the mounts in a namespace of its own: they vanish with it, and it ends when its
 * stdin does, so that nothing stays behind whatever becomes of tracemill. Programs run in bubblewrap without network,
 * without privileges beyond files, and with the root's own `/usr` and package database read-only over the overlay.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Failure } from "../../src/foundation/errors.ts";
import { planControlGroup } from "./cgroup.ts";
import { type Ended, runProgram } from "./process-output.ts";

/** What a script may write, and how many files. */
const UPPER_SIZE = "64m";
const UPPER_FILES = 20_000;
const COPY_LIMIT_MS = 60_000;

/** What an owner of files may do without being root of the host. */
const FILE_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID"];
const READ_CAPABILITIES = ["DAC_READ_SEARCH"];

/** What the scanner is, and what it knows of packages. */
const PRISTINE = ["/usr", "/var/lib/dpkg", "/var/lib/apt", "/var/cache/apt", "/etc/ld.so.cache"];

export interface SandboxFolders {
  /** The set-up root filesystem. */
  root: string;
  /** An empty folder on which every sandbox mounts its own, each in its own namespace. */
  mount: string;
  /** The scanner's content. */
  content: string;
}

export interface Sandbox {
  /** Runs a program on the overlay; `isReadOnly` is for those that only look, `isPristine` for the root as it was set up. */
  run(
    words: readonly string[],
    options: { limitMs: number; isReadOnly?: boolean; isPristine?: boolean },
  ): Promise<Ended>;
  /** Runs a trusted program of the host inside the namespace, with the folder that holds `upper/` as its place. */
  outside(words: readonly string[]): Promise<Ended>;
  close(): Promise<void>;
}

/**
 * Makes the mounts and the control group, says `ready`, and waits for the end of its stdin. However it ends, it kills
 * what is still in the group and removes it. Words: mount point, root, kept changes or "", then folder, file and value
 * of each limit of the group. The mounts are named as the group is.
 */
const HOLD = `set -e
trap '' PIPE INT TERM HUP
mount=$1 root=$2 kept=$3
shift 3
name=\${1##*/}
end() {
  set +e
  for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    left=
    for word in "$@"; do
      case $word in /*) ;; *) continue ;; esac
      [ -d "$word" ] || continue
      for pid in $(cat "$word/cgroup.procs"); do kill -9 "$pid" 2>/dev/null; done
      rmdir "$word" 2>/dev/null || left=1
    done
    [ -n "$left" ] || break
    sleep 0.05
  done
}
trap 'end "$@"' EXIT
i=1
for word in "$@"; do
  case $i in 1) folder=$word; mkdir -p "$folder"; i=2 ;; 2) file=$word; i=3 ;; 3) echo "$word" > "$folder/$file"; i=1 ;; esac
done
cd "$mount"
mount -t tmpfs -o size=${UPPER_SIZE},nr_inodes=${UPPER_FILES},mode=0700,nosuid,nodev $name .
cd "$mount"
mkdir lower upper work merged
mount --bind "$root" lower
mount -o remount,bind,ro,nosuid,nodev lower
if [ -n "$kept" ]; then cp -a "$kept/." upper/; fi
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work,nosuid,nodev $name merged
echo ready
cat > /dev/null`;

/** Shapes: `upper` is a folder of changes that an earlier sandbox kept; null is the root as it was set up. */
export async function startSandbox(folders: SandboxFolders, upper: string | null): Promise<Sandbox> {
  const limits = planControlGroup();
  const groups = [...new Set(limits.map(({ folder }) => folder))];
  const limitWords = limits.flatMap(({ folder, file, value }) => [folder, file, String(value)]);
  const words = ["--mount", "--propagation", "private", "--", "sh", "-c", HOLD, "sh"];
  const holder = spawn("unshare", [...words, folders.mount, folders.root, upper ?? "", ...limitWords], {
    detached: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = new Promise<void>((done) => holder.on("close", () => done()));
  holder.stdin?.on("error", () => {});
  await untilReady(holder);
  const enter = ["nsenter", `--mount=/proc/${holder.pid}/ns/mnt`, `--wdns=${folders.mount}`, "--"];
  return {
    run(program, { limitMs, isReadOnly = false, isPristine = false }) {
      const walls = [...wallsOf(folders, { isReadOnly: isReadOnly || isPristine, isPristine }), "--", ...program];
      return runProgram([...inGroups(groups), ...enter, "bwrap", ...walls], { limitMs });
    },
    outside: (program) => runProgram([...enter, ...program], { limitMs: COPY_LIMIT_MS }),
    async close() {
      holder.stdin?.end();
      await ended;
    },
  };
}

/** A shell that joins the control groups and becomes the program behind it. */
function inGroups(groups: readonly string[]): string[] {
  const join = `n=$1; shift; while [ "$n" -gt 0 ]; do echo 0 > "$1/cgroup.procs" || exit 125; shift; n=$((n-1)); done; exec "$@"`;
  return ["sh", "-c", join, "sh", String(groups.length), ...groups];
}

function wallsOf(
  { mount, content }: SandboxFolders,
  { isReadOnly, isPristine }: { isReadOnly: boolean; isPristine: boolean },
): string[] {
  const lower = `${mount}/lower`;
  const pristine = (path: string) => ["--ro-bind", `${lower}${path}`, path];
  const capabilities = isReadOnly ? READ_CAPABILITIES : FILE_CAPABILITIES;
  return [
    ...[isReadOnly ? "--ro-bind" : "--bind", isPristine ? lower : `${mount}/merged`, "/"],
    ...PRISTINE.flatMap(pristine),
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run", "--dir", "/run/sshd"],
    ...(isReadOnly ? ["--tmpfs", "/tmp", "--ro-bind", content, "/run/scap"] : []),
    ...["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"],
    ...["--hostname", "stig", "--new-session", "--die-with-parent", "--chdir", "/"],
    ...["--clearenv", "--setenv", "PATH", "/usr/sbin:/usr/bin:/sbin:/bin"],
    ...["--setenv", "HOME", isReadOnly ? "/tmp" : "/root"],
    ...["--setenv", "LC_ALL", "C.UTF-8"],
    ...["--cap-drop", "ALL", ...capabilities.flatMap((name) => ["--cap-add", `CAP_${name}`])],
  ];
}

async function untilReady(holder: ChildProcess): Promise<void> {
  let complaint = "";
  holder.stderr?.on("data", (part: Buffer) => {
    complaint += part;
  });
  const lines = createInterface({ input: holder.stdout as NodeJS.ReadableStream });
  const said = await Promise.race([
    once(lines, "line").then(([line]) => line as string),
    once(holder, "close").then(() => null),
    once(holder, "error").then(([error]) => {
      complaint += error;
      return null;
    }),
  ]);
  if (said === "ready") return;
  throw new Failure({
    boundary: "workspace",
    code: "SANDBOX_NOT_STARTED",
    message: `The sandbox's mounts cannot be made: ${complaint.trim() || "no reason given"}`,
  });
}
