// Amounts, times and names in few characters. The live screen of the terminal words them alike.

const PREFIXES = ["", "k", "M", "G", "T", "P"];

/** Words bytes: `512 B`, `31.4 MB`; as bits: `251 Mb`. */
export function formatAmount(bytes, asBits = false) {
  const value = asBits ? bytes * 8 : bytes;
  if (value < 0.5) return "0";
  let scaled = value;
  let prefix = 0;
  while (scaled >= 999.5 && prefix < PREFIXES.length - 1) {
    scaled /= 1000;
    prefix++;
  }
  const digits = prefix > 0 && scaled < 99.95 ? scaled.toFixed(1) : String(Math.round(scaled));
  return `${digits} ${PREFIXES[prefix]}${asBits ? "b" : "B"}`;
}

/** Words a time: `00:41`, `2h11m`, `41d03h`. */
export function formatAge(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const [minutes, hours, days] = [60, 3600, 86_400].map((size) => Math.floor(seconds / size));
  if (days > 0) return `${days}d${two(hours % 24)}h`;
  if (hours > 0) return `${hours}h${two(minutes % 60)}m`;
  return `${two(minutes)}:${two(seconds % 60)}`;
}

/** Words where a connection goes: by its name, where it has one. */
export function formatDestination({ name, destination, destinationPort }) {
  if (destination === null) return name ?? "?";
  if (name !== null) return `${name}:${destinationPort}`;
  return destination.includes(":")
    ? `[${destination}]:${destinationPort}`
    : `${destination}:${destinationPort}`;
}

// deno-lint-ignore no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/** Replaces what would hide, or change the direction of others: names may be anything. */
export function makeSafe(text) {
  return text.replace(UNSAFE, "·");
}
