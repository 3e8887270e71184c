/**
 * Solved items for a memory that is still empty: short scripts, each for another kind of file. A test runs every one
 * of them through the real scanner. All of them are of train families.
 */
import type { ActionCall } from "../../src/records/events.ts";
import type { Item } from "../../src/records/item.ts";
import { RULE_PREFIX } from "./datastream.ts";
import { fixCall } from "./parse-answer.ts";

const AUDIT_FILES = "/etc/audit/rules.d/stig.rules >> /etc/audit/audit.rules";

export const SCRIPTS: Record<string, string> = {
  sshd_set_keepalive: 'echo "ClientAliveCountMax 1" >> /etc/ssh/sshd_config',
  sshd_disable_x11_forwarding: 'sed -i "s/^X11Forwarding.*/X11Forwarding no/" /etc/ssh/sshd_config',
  auditd_data_disk_full_action: 'sed -i "s/^disk_full_action.*/disk_full_action = HALT/" /etc/audit/auditd.conf',
  accounts_max_concurrent_login_sessions: 'echo "* hard maxlogins 10" >> /etc/security/limits.conf',
  audit_rules_usergroup_modification_passwd: `echo "-w /etc/passwd -p wa -k audit_rules_usergroup_modification" | tee -a ${AUDIT_FILES}`,
  audit_rules_privileged_commands_chage: `echo "-a always,exit -F path=/usr/bin/chage -F perm=x -F auid>=1000 -F auid!=unset -F key=privileged" | tee -a ${AUDIT_FILES}`,
  audit_rules_dac_modification_chmod: `for arch in b32 b64; do
  echo "-a always,exit -F arch=$arch -S chmod -F auid>=1000 -F auid!=unset -F key=perm_mod" | tee -a ${AUDIT_FILES}
done`,
};

/** Those of the items for which there is a script, in their order, each with it. */
export function startersAmong(items: readonly Item[]): { item: Item; call: ActionCall }[] {
  return items.flatMap((item) => {
    const script = SCRIPTS[item.item.slice(`stig:${RULE_PREFIX}`.length)];
    return script === undefined ? [] : [{ item, call: fixCall(script) }];
  });
}
