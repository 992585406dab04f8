/**
 * Running a program for another processor, which starts others of its kind: in a user namespace with a
 * binfmt_misc of its own, so that nothing of this machine changes. Needs Linux 6.7.
 * @module
 */
import type { Target } from "../target.ts";

/** Registers QEMU's rule for the processor, then becomes the program. */
const SCRIPT = `
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && grep -v '^#' "$1" >/proc/sys/fs/binfmt_misc/register && shift && exec "$@"
exit 125`;

/** The words in front of a command line that let it run here; or why it cannot. */
export function findEmulation(target: Target): readonly string[] | string {
  const rule = `/usr/lib/binfmt.d/${target.qemu.replace("-static", "")}.conf`;
  const words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh", rule];
  try {
    Deno.statSync(rule);
  } catch {
    return "Debian's qemu-user-static is not installed";
  }
  const trial = new Deno.Command(words[0], { args: [...words.slice(1), "true"], stderr: "piped" })
    .outputSync();
  if (trial.success) return words;
  return `this kernel gives no binfmt_misc to a user namespace: ${
    new TextDecoder().decode(trial.stderr).trim()
  }`;
}
