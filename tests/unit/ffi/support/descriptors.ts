/**
 * The check that a test closes what it opens. Deno's own sanitizer does not see descriptors opened through
 * FFI.
 * @module
 */

import { print } from "../../../laboratory/machine/print.ts";

/**
 * Lists the descriptors that FFI opens: sockets, pipes, eventfds and epolls of this process, as `number
 * target`.
 */
export function listDescriptors(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
    try {
      const target = Deno.readLinkSync(`/proc/self/fd/${name}`);
      return /^(socket|pipe|anon_inode):/.test(target) ? [`${name} ${target}`] : [];
    } catch (error) {
      // The one of the directory itself is closed by now.
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }).sort();
}

/**
 * A test that also fails when descriptors are open after it that were not before. With an `obstacle` it is
 * skipped, and says why.
 */
export function descriptorTest(name: string, run: () => void | Promise<void>, obstacle?: string): void {
  if (obstacle !== undefined) print(`skipped: ${name}: ${obstacle}`);
  Deno.test({ name, ignore: obstacle !== undefined }, async () => {
    const before = listDescriptors();
    await run();
    const opened = () => listDescriptors().filter((descriptor) => !before.includes(descriptor));
    let left = opened();
    // A thread that has ended is still being cleared away.
    for (let i = 0; i < 100 && left.length > 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      left = opened();
    }
    if (left.length > 0) throw new Error(`descriptors left open: ${left.join(", ")}`);
  });
}
