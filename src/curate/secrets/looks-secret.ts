/**
 * Tells a secret's value from what else stands behind `password =`: a variable, a type, a path, a number, a word.
 * A secret that is a plain word, or all digits, is not told from them.
 */
const ALGORITHM =
  /^(?:sha|hmac|pbkdf|aes|rsa|ed|md|ecdsa|bcrypt|argon|scram|blowfish|yescrypt|camellia|chacha)[\w-]*\d/i;
const STAND_IN =
  /pass(?:word|wd)|secret|example|your|change_?me|placeholder|x{4}|\*{3}|dummy|redacted|insert|todo|\.\.\.|<|\$\{|\{\{|\$\(/i;
const FILE = /\.(?:json|ya?ml|txt|pem|key|crt|ts|js|py|env|ini|conf|toml|pass|log|sh)$/i;
/** As names are written: `word`, `Word`, `camelCase`, `userID`; not `plmQ`. */
const WORD = "[A-Z]*[a-z]*(?:[A-Z]+[a-z]+)*(?:[A-Z]{2,})?";
/** `settings.auth.v1`, `my-secret-2`: words in a row. */
const WORDS = new RegExp(`^(?=[A-Za-z])${WORD}\\d{0,2}(?:[-_.:]${WORD}\\d{0,3})+$`);
const CAMEL = /^[A-Za-z]?[a-z]+(?:\d{0,3}[A-Z][a-z]+)*\d?$/;
const LONG_HEX = /^[0-9a-f]{32,}$/i;
const VERSION = /^v?\d+(?:\.\d+)+/;
const DATE = /^\d{4}-\d\d-\d\d/;

/**
 * Judges a value by what stands before it.
 * `named`: behind the name of a secret and a sign; `spoken`: behind the word alone, in prose or in a command.
 */
export function looksSecret(value: string, before: "named" | "spoken"): boolean {
  if (value.length < 6 || value.length > 512 || /^[$%<{(*[]|^[.~]{0,2}\/|^\w+:\/\//.test(value)) return false;
  if (!/\d/.test(value) || !/[A-Za-z]/.test(value)) return false;
  const isWord = [ALGORITHM, STAND_IN, FILE, WORDS, VERSION, DATE].some((form) => form.test(value));
  if (isWord || new Set(value).size < 4) return false;
  if (before === "named" || LONG_HEX.test(value)) return true;
  const classes = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((one) => one.test(value)).length;
  return value.length >= 8 && classes >= 3 && !CAMEL.test(value);
}
