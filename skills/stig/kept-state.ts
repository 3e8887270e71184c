/**
 * A state of the root that outlives its sandbox: the changed files, and what a scan of all rules said of them, so
 * that the next item knows what passed before its own script ran.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../../src/foundation/errors.ts";
import { writeFolderAtomic, writeJsonAtomic } from "../../src/foundation/files.ts";
import type { Sandbox } from "./sandbox.ts";
import { scan } from "./scan.ts";
import { type Result, resultSchema } from "./setup-folder.ts";

/** The root as it was set up. */
export const BASELINE = "baseline";

const keptSchema = z.object({ results: z.record(z.string(), resultSchema) });

/** What a state begins with: its changed files' folder, null for none, and each rule's result. */
export interface Start {
  upper: string | null;
  results: ReadonlyMap<string, Result>;
}

/** Copies a sandbox's changes into a new folder below `folder` and returns its name. */
export async function keepState(sandbox: Sandbox, folder: string): Promise<string> {
  const { results, fault } = await scan(sandbox, "changeable");
  if (fault !== null) throw lost(`the state that is to be kept cannot be scanned: ${fault}`);
  const name = `state-${randomBytes(6).toString("hex")}`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFolderAtomic(join(folder, name), async (temporary) => {
    await chmod(temporary, 0o700); // a script may have made programs that run as root for whoever reaches them
    const { exitCode, stderr } = await sandbox.outside(["cp", "-a", "upper", temporary]);
    if (exitCode !== 0) throw lost(`the changed files cannot be kept: ${stderr.trim()}`);
    await writeJsonAtomic(join(temporary, "state.json"), { results: Object.fromEntries(results) });
  });
  return name;
}

/** Throws: a failure of the workspace where no such state is kept. */
export async function readState(folder: string, name: string): Promise<Start> {
  const path = join(folder, name);
  const upper = join(path, "upper");
  if (!/^state-[0-9a-f]+$/.test(name) || !existsSync(upper)) throw lost(`no state ${name} is kept in ${folder}`);
  const { results } = keptSchema.parse(JSON.parse(await readFile(join(path, "state.json"), "utf8")));
  return { upper, results: new Map(Object.entries(results)) };
}

function lost(message: string): Failure {
  return new Failure({ boundary: "workspace", code: "STATE_LOST", message });
}
