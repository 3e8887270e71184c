/**
 * Reads `gate.yaml`: the user's own, the home's, or the one that ships.
 */
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { type GateSettings, gateSchema, QUESTION_MARGIN } from "../records/gate.ts";
import type { Home } from "../store/home.ts";

const SHIPPED = join(import.meta.dirname, "gate.yaml");
/** No gate is larger; a hostile file is not read whole. */
const MOST_BYTES = 64 * 1024;

/**
 * Returns the gate of a file, else that of the home, else the one that ships.
 * Throws: `BAD_GATE` with the place and what was expected there.
 */
export async function readGate(home: Home, file?: string): Promise<GateSettings> {
  const own = join(home.path, "gate.yaml");
  const path = file ?? (existsSync(own) ? own : SHIPPED);
  const parsed = gateSchema.safeParse(parsedYaml(path, await textOf(path)));
  if (parsed.success) return { ...parsed.data, general: { questionMargin: QUESTION_MARGIN, ...parsed.data.general } };
  throw badGate(path, z.prettifyError(parsed.error));
}

async function textOf(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isFile() || found.size > MOST_BYTES) throw badGate(path, `no file of at most ${MOST_BYTES} bytes`);
    return await readFile(path, "utf8");
  } catch (error) {
    throw error instanceof Refusal ? error : badGate(path, (error as Error).message);
  }
}

function parsedYaml(path: string, text: string): unknown {
  try {
    // Without anchors' copies: a few lines could stand for gigabytes.
    return parse(text, { maxAliasCount: 0, prettyErrors: true }) ?? {};
  } catch (error) {
    throw badGate(path, (error as Error).message.slice(0, 500));
  }
}

function badGate(path: string, got: string): Refusal {
  return new Refusal({
    code: "BAD_GATE",
    message: "The gate cannot be read, so nothing says what would be enough.",
    expected: "YAML with some of: alpha, primary, skills, general, floor, tokensPerSolved, kl, informativeSides",
    got,
    where: path,
    fix: "mend the file; docs/promotion.md has each setting",
  });
}
