/**
 * The drawing of rooms and arrows in src/README.md, which is the rule itself. Pure.
 *
 * ```
 * cli        ──► kernel  dataplane  config (types)
 * ───────────
 * kernel     ──► netlink/*
 * dataplane  ──► ffi
 * ```
 * A line names a room and the rooms that its files may import. `(types)` allows `import type` alone. A room
 * stands for its folder without the rooms inside that have lines of their own; `/*` stands for those as well.
 * A rule closes a floor: arrows lead to lower floors, and every room may import all of the ground floor.
 * @module
 */

/** A folder (path ends in "/") or file, and its arrows. */
export interface Room {
  readonly name: string;
  readonly path: string;
  /** Counted from the top of the drawing. */
  readonly floor: number;
  readonly arrows: readonly Arrow[];
}

/** Permission to import a room. */
export interface Arrow {
  readonly target: string;
  readonly typesOnly: boolean;
  /** The rooms inside the target as well. */
  readonly whole: boolean;
}

/** The rooms from the top floor down. */
export interface Drawing {
  readonly rooms: readonly Room[];
  /** Faults of the drawing itself. */
  readonly faults: readonly string[];
}

const ARROW = "──►";
const FLOOR = /^─+$/;
/** Rooms that do not stand in src/. */
const OUTSIDE: Readonly<Record<string, string>> = { "ffi": "ffi/", "mod.ts": "mod.ts" };

/** Reads the text's first block of code. */
export function readDrawing(markdown: string): Drawing {
  const block = markdown.split(/^```.*$/m)[1] ?? "";
  const rooms: Room[] = [];
  let floor = 0;
  for (const line of block.split("\n").map((text) => text.trim()).filter((text) => text !== "")) {
    if (FLOOR.test(line)) {
      floor++;
      continue;
    }
    const [left, right] = line.split(ARROW);
    const names = left.trim().split(/\s+/);
    const arrows = readArrows(right ?? "");
    rooms.push(...names.map((name) => ({ name, path: pathOf(name), floor, arrows })));
  }
  return { rooms, faults: findFaults(rooms) };
}

/** Finds the room of a file: the innermost one. */
export function roomOf(file: string, rooms: readonly Room[]): Room | undefined {
  return rooms.filter(({ path }) => path.endsWith("/") ? file.startsWith(path) : file === path)
    .reduce<Room | undefined>((a, b) => a === undefined || b.path.length > a.path.length ? b : a, undefined);
}

/** Tells whether an arrow leads to a room. */
export function leadsTo({ target, whole }: Arrow, room: Room): boolean {
  return room.name === target || whole && room.path.startsWith(pathOf(target));
}

/** The rooms of the lowest floor. */
export function groundOf(rooms: readonly Room[]): readonly Room[] {
  return rooms.filter(({ floor }) => floor === rooms[rooms.length - 1].floor);
}

function readArrows(text: string): Arrow[] {
  return [...text.matchAll(/([^\s()]+)(\s+\(types\))?/g)].map(([, name, types]) => ({
    target: name.replace(/\/\*$/, ""),
    typesOnly: types !== undefined,
    whole: name.endsWith("/*"),
  }));
}

function pathOf(name: string): string {
  return OUTSIDE[name] ?? `src/${name}${name.endsWith(".ts") ? "" : "/"}`;
}

function findFaults(rooms: readonly Room[]): string[] {
  if (rooms.length === 0) return ["has no drawing of the rooms"];
  return rooms.flatMap((room) =>
    room.arrows.flatMap((arrow) => {
      const targets = rooms.filter((other) => other !== room && leadsTo(arrow, other));
      if (targets.length === 0) return [`draws ${room.name} ${ARROW} ${arrow.target}, which is no room`];
      return targets.filter(({ floor }) => floor <= room.floor)
        .map(({ name }) => `draws ${room.name} ${ARROW} ${name}, which does not lead down`);
    })
  );
}
