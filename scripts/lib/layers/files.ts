/**
 * The files of code in a tree, as they lie on the disk.
 * @module
 */

const CODE_FOLDERS = ["src", "ffi", "tests", "scripts"];
const ENDINGS = /\.(?:ts|js|c|h|sh)$/;

/** Lists the paths of all files of code, recorded data left out. */
export function listCode(root: string): string[] {
  const files = CODE_FOLDERS.flatMap((folder) => walk(root, folder));
  if (listNames(root).some(({ name }) => name === "mod.ts")) files.push("mod.ts");
  return files.sort();
}

function walk(root: string, folder: string): string[] {
  return listNames(`${root}/${folder}`).flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return name === "testdata" ? [] : walk(root, path);
    return ENDINGS.test(name) || isScript(`${root}/${path}`) ? [path] : [];
  });
}

function isScript(path: string): boolean {
  return !/\.[^/]*$/.test(path) && Deno.readTextFileSync(path).startsWith("#!");
}

function listNames(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
