/**
 * Keys of a terminal, from the bytes that it sends. Pure.
 * @module
 */

const SEQUENCES: Readonly<Record<string, string>> = {
  "[A": "up",
  "[B": "down",
  "[C": "right",
  "[D": "left",
  "[H": "home",
  "[F": "end",
  "[1~": "home",
  "[4~": "end",
  "[5~": "page up",
  "[6~": "page down",
  "[Z": "back tab",
  "OA": "up",
  "OB": "down",
  "OH": "home",
  "OF": "end",
};

const CONTROLS: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\b": "backspace",
  "\x03": "ctrl-c",
  "\x04": "ctrl-d",
  "\x0c": "ctrl-l",
};

/**
 * Splits what was read into keys: a character stands for itself, others have names: `up`, `enter`, `escape`.
 * A sequence arrives in one piece, or it is the escape key and characters.
 */
export function readKeys(text: string): string[] {
  const keys: string[] = [];
  let rest = text;
  while (rest !== "") {
    // deno-lint-ignore no-control-regex
    const sequence = /^\x1b(\[[0-9;]*[A-Za-z~]|O[A-Za-z])/.exec(rest);
    if (sequence !== null) {
      const key = SEQUENCES[sequence[1]];
      if (key !== undefined) keys.push(key);
      rest = rest.slice(sequence[0].length);
      continue;
    }
    const [character] = rest;
    if (character === "\x1b") keys.push("escape");
    else if (character in CONTROLS) keys.push(CONTROLS[character]);
    else if (character >= " ") keys.push(character);
    rest = rest.slice(character.length);
  }
  return keys;
}
