/** Makes attempts in two workspaces without end, to be killed: `working-process.ts FOLDER MARK`. */
import { fixCall } from "../../../skills/stig/parse-answer.ts";
import { readSetup } from "../../../skills/stig/setup-folder.ts";
import { openWorkspace } from "../../../skills/stig/workspace.ts";

const [, , folder = "", mark = ""] = process.argv;
const setUp = await readSetup();
const rule = setUp.setup.rules.find(({ id }) => id.endsWith("_sshd_set_keepalive"));
if (rule === undefined) throw new Error("no rule");
const call = fixCall(
  `bash -c 'exec -a ${mark} sleep 0.2' & sed -i "1i ClientAliveCountMax 1" /etc/ssh/sshd_config; wait`,
);

async function work(): Promise<never> {
  for (;;) {
    const workspace = await openWorkspace(rule as NonNullable<typeof rule>, { folder, from: null }, setUp);
    await workspace.act(call);
    await workspace.verify(call, { call });
    await workspace.checkpoint();
    await workspace.close();
  }
}

process.stdout.write("working\n");
await Promise.all([work(), work()]);
