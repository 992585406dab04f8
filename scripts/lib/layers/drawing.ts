/**
 * The drawing of rooms and arrows in src/README.md, which is the rule itself. Pure.
 *
 * ```
 * cli        ──► kernel  dataplane  config (types)
 * ───────────
 * kernel     ──► netlink/*
 * dataplane  ──► ffi
 * kernel/nft ──╳ kernel/iptables
 * ```
 * A line names rooms and the rooms that their files may import. `(types)` allows `import type` alone. A room
 * stands for its folder without the rooms inside that have lines of their own; `/*` stands for those as well,
 * as far as they are further down. Arrows lead down; single rules are for the eye. Below the double rule is
 * the ground: every room above may import all of it. `──╳` forbids imports between two places, of rooms or
 * within one.
 * @module
 */

/** A folder (path ends in "/") or file, and its arrows. */
export interface Room {
  readonly name: string;
  readonly path: string;
  /** Number of its line, from the top of the drawing. */
  readonly floor: number;
  readonly ground: boolean;
  readonly arrows: readonly Arrow[];
}

/** Permission to import a room. */
export interface Arrow {
  readonly target: string;
  readonly typesOnly: boolean;
  /** The rooms inside the target as well. */
  readonly whole: boolean;
}

/** Two places between which nothing may be imported. */
export interface Ban {
  readonly from: string;
  readonly to: string;
}

/** The rooms from the top floor down. */
export interface Drawing {
  readonly rooms: readonly Room[];
  readonly bans: readonly Ban[];
  /** Faults of the drawing itself. */
  readonly faults: readonly string[];
}

const ARROW = "──►";
const BAN = "──╳";
const RULE = /^[─═]+$/;
/** Rooms that do not stand in src/. */
const OUTSIDE: Readonly<Record<string, string>> = { "ffi": "ffi/", "mod.ts": "mod.ts" };

/** Reads the text's first block of code. */
export function readDrawing(markdown: string): Drawing {
  const block = markdown.split(/^```.*$/m)[1] ?? "";
  const rooms: Room[] = [];
  const bans: Ban[] = [];
  let floor = 0;
  let ground = false;
  for (const line of block.split("\n").map((text) => text.trim()).filter((text) => text !== "")) {
    if (RULE.test(line)) {
      ground ||= line.startsWith("═");
      continue;
    }
    const [left, right] = line.split(/──[►╳]/);
    const names = left.trim().split(/\s+/);
    if (line.includes(BAN)) {
      const targets = readArrows(right).map(({ target }) => target);
      bans.push(...names.flatMap((from) => targets.map((to) => ({ from, to }))));
      continue;
    }
    const arrows = readArrows(right ?? "");
    floor++;
    rooms.push(...names.map((name) => ({ name, path: pathOf(name), floor, ground, arrows })));
  }
  return { rooms, bans, faults: findFaults(rooms) };
}

/** Finds the room of a file: the innermost one. */
export function roomOf(file: string, rooms: readonly Room[]): Room | undefined {
  return rooms.filter(({ path }) => path.endsWith("/") ? file.startsWith(path) : file === path)
    .reduce<Room | undefined>((a, b) => a === undefined || b.path.length > a.path.length ? b : a, undefined);
}

/** Tells whether an arrow of a room leads to another. */
export function leadsTo({ target, whole }: Arrow, from: Room, room: Room): boolean {
  return room.name === target && !whole ||
    whole && room.path.startsWith(pathOf(target)) && room.floor > from.floor;
}

function readArrows(text: string): Arrow[] {
  return [...text.matchAll(/([^\s()]+)(\s+\(types\))?/g)].map(([, name, types]) => ({
    target: name.replace(/\/\*$/, ""),
    typesOnly: types !== undefined,
    whole: name.endsWith("/*"),
  }));
}

/** The path of a room, or of a place in one. */
export function pathOf(name: string): string {
  return OUTSIDE[name] ?? `src/${name}${name.endsWith(".ts") ? "" : "/"}`;
}

function findFaults(rooms: readonly Room[]): string[] {
  if (rooms.length === 0) return ["has no drawing of the rooms"];
  return rooms.flatMap((room) =>
    room.arrows.flatMap((arrow) => {
      const targets = rooms.filter((other) => other !== room && leadsTo(arrow, room, other));
      if (targets.length === 0) return [`draws ${room.name} ${ARROW} ${arrow.target}, which is no room`];
      return targets.filter(({ floor }) => floor <= room.floor)
        .map(({ name }) => `draws ${room.name} ${ARROW} ${name}, which does not lead down`);
    })
  );
}
