/**
 * Sockets with a path that somebody listens at, as /proc/net/unix has them: a socket that its killed owner
 * has left behind is told from one that may only not be asked. Pure.
 * @module
 */

/** include/linux/net.h: __SO_ACCEPTCON */
const ACCEPTS = 0x10000;

/** Tells whether a line of /proc/net/unix is of one who listens at the path. */
export function isListenedAt(table: string, path: string): boolean {
  return table.split("\n").some((line) => {
    // Num: RefCount Protocol Flags Type St Inode Path
    const [, flags, at] = /^\S+ \S+ \S+ ([0-9A-Fa-f]+) \S+ \S+ +\d+ (.*)$/.exec(line) ?? [];
    return at === path && (parseInt(flags, 16) & ACCEPTS) !== 0;
  });
}
