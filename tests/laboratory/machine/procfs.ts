/**
 * Facts of a process in /proc: memory, processor time, descriptors, listening ports.
 * @module
 */

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

/** The most resident memory that there was, in bytes. */
export function peakResidentBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

/** Anonymous memory in bytes: what no file holds, so that without swap the kernel can never take it back. */
export function anonymousBytes(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

/** Processor time used so far, user and system, all threads, in milliseconds (resolution 10 ms). */
export function processorMs(pid: number): number {
  return statProcessorMs(`/proc/${pid}/stat`);
}

/** The processes that a process, any of its threads, has started and that run. */
export function listChildren(pid: number): number[] {
  const threads = [...Deno.readDirSync(`/proc/${pid}/task`)];
  return threads.flatMap(({ name }) => readOrEmpty(`/proc/${pid}/task/${name}/children`).split(" "))
    .filter((child) => child.trim() !== "").map(Number);
}

/** Open descriptors of a process as `number target`, such as `7 socket:[3425]`. */
export function listDescriptors(pid: number | "self" = "self"): string[] {
  const directory = `/proc/${pid}/fd`;
  return [...Deno.readDirSync(directory)].flatMap(({ name }) => {
    try {
      return [`${name} ${Deno.readLinkSync(`${directory}/${name}`)}`];
    } catch (error) {
      // The one of the directory itself is closed by now.
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  });
}

/** Open descriptors by kind: `socket`, `pipe`, `anon_inode`, or a path. */
export function countDescriptorKinds(pid: number): Map<string, number> {
  const kinds = new Map<string, number>();
  for (const descriptor of listDescriptors(pid)) {
    const kind = descriptor.replace(/^\d+ /, "").replace(/:.*/, "");
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return kinds;
}

/** Open descriptors. */
export function descriptorCount(pid: number | "self" = "self"): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Tells whether a socket in the network namespace of the process listens on the TCP port. */
export function listens(pid: number, port: number): boolean {
  return hasSocket(pid, { files: ["tcp", "tcp6"], port, state: "0A" });
}

/** Tells whether a UDP socket in the network namespace of the process is bound to the port. */
export function isUdpBound(pid: number, port: number): boolean {
  return hasSocket(pid, { files: ["udp", "udp6"], port, state: "07" });
}

function hasSocket(pid: number, wanted: { files: string[]; port: number; state: string }): boolean {
  const port = wanted.port.toString(16).toUpperCase().padStart(4, "0");
  const line = new RegExp(`^\\s*\\d+: [0-9A-F]+:${port} [0-9A-F]+:[0-9A-F]{4} ${wanted.state} `, "m");
  return wanted.files.some((file) => line.test(readOrEmpty(`/proc/${pid}/net/${file}`)));
}

function readOrEmpty(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** Tells whether a process exists (a zombie counts as gone). */
export function isAlive(pid: number): boolean {
  const status = readOrEmpty(`/proc/${pid}/status`);
  return status !== "" && !/^State:\s+Z/m.test(status);
}

/** Processor time used so far by each thread, in milliseconds. */
export function threadProcessorMs(pid: number): Map<number, number> {
  const threads = [...Deno.readDirSync(`/proc/${pid}/task`)].map((entry) => Number(entry.name));
  return new Map(threads.map((thread) => [thread, statProcessorMs(`/proc/${pid}/task/${thread}/stat`)]));
}

function statProcessorMs(path: string): number {
  const stat = Deno.readTextFileSync(path);
  // The name, in parentheses, may hold blanks; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
