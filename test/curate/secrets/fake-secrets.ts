/**
 * Well-formed secrets that open nothing: made by a seed when a test runs, so that none is ever written down.
 */
import type { Random } from "../../../src/foundation/random.ts";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const DIGITS = "0123456789";
const HEX = `${DIGITS}abcdef`;
const WORD = LOWER + UPPER + DIGITS;
const BASE64 = `${WORD}+/`;

/** Fills every `{name}` of a template, each time with another secret of that form. */
export function filled(template: string, draw: Random): string {
  return template.replaceAll(/\{([a-z]+[A-Za-z0-9]*)\}/g, (whole, name: string) => FORMS[name]?.(draw) ?? whole);
}

const chars = (draw: Random, alphabet: string, count: number) =>
  Array.from({ length: count }, () => draw.pick([...alphabet])).join("");
/** Holds a digit, a small and a large letter, as nearly every real one does. */
const mixed = (draw: Random, alphabet: string, count: number) => `a7${chars(draw, alphabet, count - 3)}Q`;
const base64 = (text: string) => Buffer.from(text).toString("base64");
const base64Url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

const FORMS: Record<string, (draw: Random) => string> = {
  public4: (draw) => `${draw.pick([5, 31, 45, 81, 93, 151])}.${[1, 2, 3].map(() => draw.integer(1, 254)).join(".")}`,
  public6: (draw) =>
    `2a0${draw.integer(1, 9)}:${[1, 2, 3].map(() => chars(draw, HEX, 4)).join(":")}::${draw.integer(1, 99)}`,
  mac: (draw) => macPairs(draw).join(":"),
  macUpper: (draw) => macPairs(draw).join(":").toUpperCase(),
  macDash: (draw) => macPairs(draw).join("-").toUpperCase(),
  macCisco: (draw) =>
    macPairs(draw)
      .join("")
      .replace(/(.{4})(.{4})/, "$1.$2."),
  github: (draw) => `ghp_${mixed(draw, WORD, 36)}`,
  githubOauth: (draw) => `gho_${mixed(draw, WORD, 36)}`,
  githubFine: (draw) => `github_pat_${mixed(draw, WORD, 22)}_${chars(draw, WORD, 59)}`,
  gitlab: (draw) => `glpat-${mixed(draw, WORD, 20)}`,
  gitlabRunner: (draw) => `glrt-${mixed(draw, WORD, 20)}`,
  slackBot: (draw) => `xoxb-${chars(draw, DIGITS, 12)}-${chars(draw, DIGITS, 13)}-${chars(draw, WORD, 24)}`,
  slackUser: (draw) => `xoxp-${chars(draw, DIGITS, 12)}-${chars(draw, DIGITS, 12)}-${chars(draw, HEX, 32)}`,
  slackHook: (draw) =>
    `https://hooks.slack.com/services/T${chars(draw, UPPER, 8)}/B${chars(draw, UPPER, 8)}/${chars(draw, WORD, 24)}`,
  awsId: (draw) => `AKIA${chars(draw, UPPER, 8)}${chars(draw, "234567", 8)}`,
  awsSecret: (draw) => mixed(draw, BASE64, 40),
  google: (draw) => `AIza${mixed(draw, WORD, 35)}`,
  googleSecret: (draw) => `GOCSPX-${mixed(draw, WORD, 28)}`,
  googleAccess: (draw) => `ya29.${mixed(draw, WORD, 120)}`,
  openai: (draw) => `sk-proj-${chars(draw, WORD, 74)}T3BlbkFJ${chars(draw, WORD, 74)}`,
  openaiOld: (draw) => `sk-${chars(draw, WORD, 20)}T3BlbkFJ${chars(draw, WORD, 20)}`,
  anthropic: (draw) => `sk-ant-api03-${chars(draw, WORD, 93)}AA`,
  huggingface: (draw) => `hf_${chars(draw, LOWER + UPPER, 34)}`,
  npm: (draw) => `npm_${mixed(draw, WORD, 36)}`,
  uuid: (draw) => [8, 4, 4, 4, 12].map((count) => chars(draw, HEX, count)).join("-"),
  sendgrid: (draw) => `SG.${mixed(draw, WORD, 22)}.${mixed(draw, WORD, 43)}`,
  shopify: (draw) => `shpat_${chars(draw, HEX, 32)}`,
  linear: (draw) => `lin_api_${mixed(draw, WORD, 40)}`,
  notion: (draw) => `ntn_${chars(draw, DIGITS, 11)}${chars(draw, WORD, 35)}`,
  stripe: (draw) => `sk_live_${mixed(draw, WORD, 24)}`,
  jwt: (draw) =>
    `${base64Url({ alg: "HS256", typ: "JWT" })}.${base64Url({ sub: chars(draw, DIGITS, 10), iat: 1516239022 })}.${mixed(draw, WORD, 43)}`,
  pypi: (draw) => `pypi-AgEIcHlwaS5vcmc${mixed(draw, WORD, 120)}`,
  vault: (draw) => `hvs.${mixed(draw, WORD, 95)}`,
  databricks: (draw) => `dapi${chars(draw, HEX, 32)}`,
  docker: (draw) => `dckr_pat_${mixed(draw, WORD, 27)}`,
  figma: (draw) => `figd_${mixed(draw, WORD, 40)}`,
  groq: (draw) => `gsk_${mixed(draw, WORD, 52)}`,
  vercel: (draw) => `vcp_${mixed(draw, WORD, 40)}`,
  grafana: (draw) => `glsa_${mixed(draw, WORD, 32)}_${chars(draw, HEX, 8)}`,
  // Its base64 ends in `fQ` only where the JSON has a length that leaves one byte over.
  onePassword: (draw) =>
    `ops_${base64(JSON.stringify({ email: `${chars(draw, LOWER, 13)}@x.lcl`, key: chars(draw, WORD, 84) }))}`,
  digitalOcean: (draw) => `dop_v1_${chars(draw, HEX, 64)}`,
  telegram: (draw) => `${chars(draw, "123456789", 10)}:AA${mixed(draw, WORD, 33)}`,
  opaque: (draw) => mixed(draw, WORD, 40),
  mailgun: (draw) => `key-${chars(draw, HEX, 32)}`,
  tailscale: (draw) => `tskey-auth-${mixed(draw, WORD, 17)}-${mixed(draw, WORD, 32)}`,
  nvidia: (draw) => `nvapi-${mixed(draw, WORD, 64)}`,
  atlassian: (draw) => `ATATT3xFfGF0${mixed(draw, WORD, 160)}`,
  hex32: (draw) => `a1${chars(draw, HEX, 30)}`,
  hex40: (draw) => `9f${chars(draw, HEX, 38)}`,
  rubygems: (draw) => `rubygems_${chars(draw, HEX, 48)}`,
  password: (draw) =>
    chars(draw, LOWER, 3) +
    chars(draw, DIGITS, 2) +
    chars(draw, UPPER, 2) +
    draw.pick(["-", "_", "!", "+", ""]) +
    chars(draw, WORD, draw.integer(3, 9)),
  shadow: (draw) => `$6$${chars(draw, WORD, 16)}$${chars(draw, `${WORD}./`, 86)}`,
  bcrypt: (draw) => `$2b$12$${chars(draw, `${WORD}./`, 53)}`,
  grub: (draw) =>
    `grub.pbkdf2.sha512.10000.${chars(draw, "0123456789ABCDEF", 128)}.${chars(draw, "0123456789ABCDEF", 128)}`,
  pem: (draw) => pem(draw, "RSA PRIVATE KEY", "MIIEowIBAAKCAQEA"),
  pemPkcs8: (draw) => pem(draw, "PRIVATE KEY", "MIIEvQIBADANBg"),
  pemEc: (draw) => pem(draw, "EC PRIVATE KEY", "MHcCAQEEI"),
  pemDsa: (draw) => pem(draw, "DSA PRIVATE KEY", "MIIBugIBAAKBgQ"),
  pemOpenssh: (draw) => pem(draw, "OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjEAAAAA"),
  pemEncrypted: (draw) =>
    pem(
      draw,
      "RSA PRIVATE KEY",
      `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,${chars(draw, "0123456789ABCDEF", 32)}\n\n`,
    ),
  pgp: (draw) => pem(draw, "PGP PRIVATE KEY BLOCK", "Version: GnuPG v2\n\nlQOYBF"),
  pemEscaped: (draw) => pem(draw, "PRIVATE KEY", "MIIEvQIBADANBg").replaceAll("\n", "\\n"),
  pemTruncated: (draw) => pem(draw, "RSA PRIVATE KEY", "MIIEowIBAAKCAQEA").split("\n").slice(0, 3).join("\n"),
  base64Pem: (draw) => base64(pem(draw, "RSA PRIVATE KEY", "MIIEowIBAAKCAQEA")),
  ageKey: (draw) => `AGE-SECRET-KEY-1${chars(draw, UPPER + DIGITS, 58)}`,
  azureKey: (draw) => `${mixed(draw, BASE64, 86)}==`,
  azureSas: (draw) => `${mixed(draw, BASE64, 43)}=`,
  wireguard: (draw) => `${mixed(draw, BASE64, 43)}=`,
};

function macPairs(draw: Random): string[] {
  return ["a4", "5e", ...[1, 2, 3, 4].map(() => chars(draw, HEX, 2))];
}

function pem(draw: Random, label: string, head: string): string {
  const lines = Array.from(
    { length: 12 },
    (_, i) => (i === 0 ? head : "") + chars(draw, BASE64, 64 - (i === 0 && !head.includes("\n") ? head.length : 0)),
  );
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join("\n");
}
