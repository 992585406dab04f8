/**
 * Programs that read bytes and write others.
 * @module
 */

/** Runs a program with the bytes as its input and gives its output; throws with what it said if it fails. */
export async function runFilter(
  command: string,
  args: readonly string[],
  input: Uint8Array,
): Promise<Uint8Array> {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  // A program that ends early closes the pipe; its exit code and words tell why.
  await writer.write(input).then(() => writer.close()).catch(() => {});
  const { success, code, stdout, stderr } = await output;
  if (!success) {
    throw new Error(`${command} failed (exit ${code}): ${new TextDecoder().decode(stderr).trim()}`);
  }
  return stdout;
}
