/**
 * A vLLM that runs already and is left running: adapters are loaded into it beside those of others. What several of this home use
 * is loaded once, and taken away by the last of them; what it has lost meanwhile, as it was started again, can be loaded anew.
 */
import { Refusal } from "../foundation/errors.ts";
import { realPath } from "../foundation/real-path.ts";
import { adapterUses } from "../store/adapter-uses.ts";
import type { ModelServer, ModelServerOptions, PeftAdapter } from "./target.ts";
import { LOAD_TIMEOUT_MS, loadAdapter, modelsAt, unloadAdapter, type VllmModel } from "./vllm-adapters.ts";

/** Throws: `NO_SERVER_ARGS`; what loading the adapters does, after none of them is left there. */
export async function attachedVllm(origin: string, options: ModelServerOptions): Promise<ModelServer> {
  const { home, adapters, args, onWarning = () => {} } = options;
  if (args.length > 0) throw argsOfAttached(origin);
  const address = { origin, whyEnded: () => null };
  const uses = adapterUses(home, { origin, longestMs: 2 * LOAD_TIMEOUT_MS });
  const loaded = new Map<string, PeftAdapter>();

  const load = (adapter: PeftAdapter) =>
    uses.inTurn(async () => {
      const models = (await modelsAt(origin)) ?? [];
      if (!models.some((model) => isOf(model, adapter))) await loadAdapter(address, adapter);
      loaded.set(adapter.id, adapter);
      await uses.note([...loaded.keys()]);
    });

  async function missing(): Promise<string[]> {
    const models = await modelsAt(origin);
    const isThere = (adapter: PeftAdapter) => models === null || models.some((model) => isOf(model, adapter));
    return [...loaded.values()].flatMap((adapter) => (isThere(adapter) ? [] : [adapter.id]));
  }

  const unload = (id: string) =>
    uses.inTurn(async () => {
      const others = await uses.ofOthers();
      if (!others.has(id) && !(await missing()).includes(id)) await unloadAdapter(address, id);
      loaded.delete(id);
      await uses.note([...loaded.keys()]);
    });

  async function close(): Promise<void> {
    for (const id of [...loaded.keys()]) await unload(id).catch((error: Error) => onWarning(error.message));
    await uses.note([]);
  }

  warnOfBase((await modelsAt(origin)) ?? [], { ...options, origin });
  try {
    for (const adapter of adapters) await load(adapter);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    origin,
    pid: null,
    ended: () => null,
    // Of what it runs on nothing is known; on processors its engine dies of a seed.
    takesSeed: false,
    scoresAlone: false,
    ...{ load, unload, missing, close },
  };
}

/** An adapter's folder is named by its hash. */
function isOf({ id, root }: VllmModel, adapter: PeftAdapter): boolean {
  return id === adapter.id && root === adapter.folder;
}

/** Of a base nothing is asked but its name. */
function warnOfBase(
  models: readonly VllmModel[],
  { origin, base, baseFolder, onWarning }: ModelServerOptions & { origin: string },
): void {
  const root = models.find(({ id }) => id === base.name)?.root;
  if (root == null || realPath(root) === realPath(baseFolder)) return;
  const here = `this home's is ${baseFolder}, so whether both are one cannot be told`;
  onWarning?.(`the vLLM at ${origin} has loaded ${base.name} from ${root}; ${here}.`);
}

function argsOfAttached(origin: string): Refusal {
  return new Refusal({
    code: "NO_SERVER_ARGS",
    message: "A vLLM that runs already takes no arguments any more.",
    expected: "--server-args where TRACEMILL_VLLM names a program, or nothing",
    got: `the server at ${origin}`,
    fix: "start that server with them, or leave --server-args out",
  });
}
