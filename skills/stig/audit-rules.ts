/**
 * The grammar of one line of an audit rules file, as auditctl(8) gives it. `auditctl -R` itself would load the rules
 * into the host's kernel, so it cannot be asked.
 */
const FIELDS = new Set(
  (
    "a0 a1 a2 a3 arch auid devmajor devminor dir egid euid exe exit field_compare filetype fsgid fstype fsuid gid " +
    "inode key loginuid msgtype obj_gid obj_lev_high obj_lev_low obj_role obj_type obj_uid obj_user path perm pers " +
    "pid ppid saddr_fam sessionid sgid subj_clr subj_role subj_sen subj_type subj_user success suid uid"
  ).split(" "),
);
const LISTS = "task|exit|user|exclude|filesystem|io_uring";
const ACTIONS = "never|always";
const COMPARISON = /^([a-z_0-9]+)(!=|<=|>=|&=|=|<|>|&)(.+)$/;

/** Says what is wrong with a line; null where it is sound. */
export function auditRuleFault(line: string): string | null {
  const words = line.trim().split(/\s+/);
  let hasList = false;
  let hasSyscallOrField = false;
  for (let i = 0; i < words.length; i++) {
    const option = words[i] as string;
    if (["-D", "-c", "-i"].includes(option)) continue;
    if (option === "--loginuid-immutable" || option === "--reset-lost") continue;
    const value = words[++i];
    if (value === undefined) return `${option} is unknown or lacks its value`;
    const fault = optionFault(option, value);
    if (fault !== null) return fault;
    if (option === "-a" || option === "-A") hasList = true;
    if (option === "-S" || option === "-F" || option === "-C") hasSyscallOrField = true;
  }
  return hasSyscallOrField && !hasList ? "a field or system call without -a list,action" : null;
}

function optionFault(option: string, value: string): string | null {
  switch (option) {
    case "-a":
    case "-A":
    case "-d":
      return new RegExp(`^((${ACTIONS}),(${LISTS})|(${LISTS}),(${ACTIONS}))$`).test(value)
        ? null
        : `${value} is no list,action`;
    case "-S":
      return /^\w+(,\w+)*$/.test(value) ? null : `${value} is no system call`;
    case "-F":
      return fieldFault(value);
    case "-C":
      return COMPARISON.test(value) ? null : `${value} is no comparison`;
    case "-w":
    case "-W":
      return value.startsWith("/") ? null : `${value} is no absolute path`;
    case "-p":
      return /^[rwxa]{1,4}$/.test(value) ? null : `${value} are no permissions`;
    case "-k":
      return value.length <= 31 * 8 ? null : "the key is too long";
    case "-b":
    case "-e":
    case "-f":
    case "-r":
    case "--backlog_wait_time":
      return /^\d+$/.test(value) ? null : `${option} takes a number, not ${value}`;
    default:
      return `${option} is no option of an audit rule`;
  }
}

function fieldFault(text: string): string | null {
  const [, field = "", , value = ""] = COMPARISON.exec(text) ?? [];
  if (!FIELDS.has(field)) return `${text} compares no field that there is`;
  if (field === "arch" && !/^(b32|b64|x86_64|i386|aarch64)$/.test(value)) return `${value} is no architecture`;
  if (/^(path|dir|exe)$/.test(field) && !value.startsWith("/")) return `${value} is no absolute path`;
  if (field === "perm" && !/^[rwxa]{1,4}$/.test(value)) return `${value} are no permissions`;
  return null;
}
