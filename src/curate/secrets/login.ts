/**
 * Tells a login on a machine, `name@host`, from an e-mail address, which looks the same: by the command before it, the
 * shell prompt around it, or a host that only a private network has.
 */
import { isIPv4 } from "node:net";
import { isPrivateName } from "./known-names.ts";

export interface Login {
  name: string;
  host: string;
  start: number;
  /** Where the host begins. */
  hostStart: number;
}

const COMMAND = /(?:^|[\s;&|("'`$/])(?:ssh|scp|sftp|rsync|mosh|sshfs|autossh|ssh-copy-id|ssh-keyscan)\s/;
const LOOK_BACK = 300;
const LONGEST_NAME = 64;
const PLACEHOLDER_HOST = /^<(?:HOST|ADDRESS)_\d{1,9}>$/;

/** Finds every `name@host` that is a login; a host may have been replaced before. */
export function* logins(text: string): Generator<Login> {
  // From the sign to both sides: to look for the name first would try every letter of every word.
  for (const { 1: written = "", index } of text.matchAll(
    /@(<(?:HOST|ADDRESS)_\d{1,9}>|[A-Za-z0-9][A-Za-z0-9.-]{0,252})/g,
  )) {
    const name = /[A-Za-z_][\w.+-]{0,63}$/.exec(text.slice(Math.max(0, index - LONGEST_NAME), index))?.[0];
    if (name === undefined) continue;
    const host = written.replace(/[.-]+$/, "");
    const login = { name, host, start: index - name.length, hostStart: index + 1 };
    if (isLogin(text, login)) yield login;
  }
}

/** Whether what looks like an address of e-mail is a login. Shapes: `start` is where its name begins, `hostStart` its host. */
export function isLogin(text: string, { host, start, hostStart }: Omit<Login, "name">): boolean {
  const before = text[start - 1] ?? "";
  if (/[\w@%+]/.test(before) || isInUrl(text, start)) return false;
  if (PLACEHOLDER_HOST.test(host) || isIPv4(host) || host === "localhost" || isPrivateName(host)) return true;
  const after = text.slice(hostStart + host.length, hostStart + host.length + 3);
  if (/^sha(?:256|512)$/.test(host)) return false;
  if (/^:(?:~|\/(?!\/))/.test(after) || (before === "[" && after.startsWith(" "))) return true;
  if (!/^(?:[\s:"'`,;)\]]|$)/.test(after)) return false;
  const line = text.slice(Math.max(0, start - LOOK_BACK), start);
  return COMMAND.test(line.slice(line.lastIndexOf("\n") + 1));
}

/** What stands before the host of a URL is an account or a password, which other rules look at. */
export function isInUrl(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - LOOK_BACK), start);
  return before.includes("://") && /:\/\/[^\s/"'@]{0,256}$/.test(before);
}
