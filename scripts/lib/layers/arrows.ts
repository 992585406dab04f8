/**
 * The arrows of the drawing, held against the imports. Pure.
 * @module
 */
import type { Breach } from "./breach.ts";
import { type Ban, type Drawing, leadsTo, pathOf, type Room, roomOf } from "./drawing.ts";
import type { Import, Module } from "./graph.ts";

const DRAWING = "src/README.md";

/**
 * Finds imports that no arrow allows or that are forbidden, files without a room, and lines of the drawing
 * that show nothing.
 */
export function findWrongArrows(program: readonly Module[], { rooms, bans, faults }: Drawing): Breach[] {
  if (rooms.length === 0) return faults.map((text) => ({ path: DRAWING, text }));
  return [
    ...faults.map((text) => ({ path: DRAWING, text })),
    ...program.flatMap((module) => checkModule(module, rooms)),
    ...bans.flatMap((ban) => checkBan(program, ban)),
    ...findEmptyLines(program, rooms),
  ];
}

function checkModule({ path, imports }: Module, rooms: readonly Room[]): Breach[] {
  const room = roomOf(path, rooms);
  if (room === undefined) return [{ path, text: `is in no room; draw it in ${DRAWING}` }];
  return imports.filter((i) => i.package === undefined && !i.target.startsWith("node:"))
    .filter((i) => !allows(room, i, rooms))
    .map(({ target }) => ({ path, text: `imports ${target}, which ${room.name} may not` }));
}

function allows(room: Room, { target, typeOnly }: Import, rooms: readonly Room[]): boolean {
  const other = roomOf(target, rooms);
  if (other === undefined) return false;
  if (other === room) return true;
  if (other.ground && !room.ground) return true;
  return room.arrows.some((arrow) => leadsTo(arrow, room, other) && (typeOnly || !arrow.typesOnly));
}

function checkBan(program: readonly Module[], { from, to }: Ban): Breach[] {
  const [left, right] = [pathOf(from), pathOf(to)];
  const ends = [{ name: from, path: left }, { name: to, path: right }];
  return [
    ...ends.filter((end) => !program.some(({ path }) => path.startsWith(end.path)))
      .map(({ name }) => ({ path: DRAWING, text: `draws ${name}, which has no file` })),
    ...program.filter(({ path }) => path.startsWith(left)).flatMap(({ path, imports }) =>
      imports.filter(({ target }) => target.startsWith(right))
        .map(({ target }) => ({ path, text: `imports ${target}, which ${from} must not` }))
    ),
  ];
}

/** Finds rooms without files, and arrows that no import follows. */
function findEmptyLines(program: readonly Module[], rooms: readonly Room[]): Breach[] {
  const used = new Set<string>();
  const inhabited = new Set<Room>();
  for (const { path, imports } of program) {
    const room = roomOf(path, rooms);
    if (room === undefined) continue;
    inhabited.add(room);
    for (const { target } of imports) used.add(`${room.floor} ${roomOf(target, rooms)?.name}`);
  }
  return rooms.flatMap((room) => {
    if (!inhabited.has(room)) return [{ path: DRAWING, text: `draws ${room.name}, which has no file` }];
    return room.arrows.filter((arrow) => {
      const targets = rooms.filter((other) => leadsTo(arrow, room, other));
      return targets.length > 0 && !targets.some((other) => used.has(`${room.floor} ${other.name}`));
    }).map(({ target }) => ({
      path: DRAWING,
      text: `draws ${room.name} ──► ${target}, which no import follows`,
    }));
  });
}
