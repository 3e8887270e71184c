#!/usr/bin/env node
// Starts the command line: the built JavaScript where the package was installed, the TypeScript sources in a
// checkout. Node strips types from 22.18 on; an older Node hands over to the one that the dev dependency `node` brings.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const source = new URL("../src/cli.ts", import.meta.url);
const built = new URL("../dist/src/cli.js", import.meta.url);
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (!existsSync(source)) {
  await import(built.href);
} else if (major > 22 || (major === 22 && minor >= 18)) {
  await import(source.href);
} else {
  const newer = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
  if (!existsSync(newer)) {
    console.error(
      `tracemill needs Node 22.18 or newer in a checkout (found ${process.versions.node}); run: make setup`,
    );
    process.exit(2);
  }
  const child = spawn(newer, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends Ctrl-C to both; what is sent to this process alone is passed on.
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  process.on("SIGINT", () => {});
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
