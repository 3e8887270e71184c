/** Cents as an amount: -12.05. */
export function amount(cents) {
  const whole = Math.floor(Math.abs(cents) / 100);
  const rest = String(Math.abs(cents) % 100).padStart(2, "0");
  return `${cents < 0 ? "-" : ""}${whole}.${rest}`;
}

/** Cents shared between people, none lost: the first ones pay a cent more. */
export function shares(cents, people) {
  const base = Math.floor(cents / people);
  return Array.from({ length: people }, (_, n) => (n < cents % people ? base + 1 : base));
}
