/**
 * The runtime inside the product: Deno with its V8, and what Debian's packages give. Pure.
 * @module
 */
import { fromIntegrity, type Ingredient } from "./ingredient.ts";

/** Parts of one architecture's runtime. */
export interface RuntimeParts {
  /** Deno's npm package: its name, version and integrity. */
  readonly deno: { readonly name: string; readonly version: string; readonly integrity: string };
  readonly v8: string;
  /** Debian's packages of which something gets into the product. */
  readonly debian: readonly DebianPart[];
}

/** A package of Debian. */
export interface DebianPart {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Of the .deb. */
  readonly sha256: string;
}

/** The licence of what is taken of each, and how it gets in. */
const LINKED: Readonly<Record<string, { license: string; description: string }>> = {
  "libc6": { license: "LGPL-2.1-or-later", description: "The C library and the dynamic loader, unchanged" },
  "libgcc-s1": {
    license: "GPL-3.0-or-later WITH GCC-exception-3.1",
    description: "Support library of the compiler, unchanged",
  },
  "liblzma-dev": { license: "public-domain", description: "Linked into the launcher" },
};

/** Lists the ingredients of a runtime. */
export function listRuntime({ deno, v8, debian }: RuntimeParts): Ingredient[] {
  const linked = debian.map((part): Ingredient => ({
    type: "library",
    name: part.name,
    version: part.version,
    purl: `pkg:deb/debian/${part.name}`,
    qualifiers: `arch=${part.architecture}&distro=debian-12`,
    sha256: part.sha256,
    ...linkOf(part),
  }));
  const libraries = linked.map(({ name }) => name).filter((name) => !name.endsWith("-dev"));
  return [
    {
      type: "platform",
      name: "deno",
      version: deno.version,
      purl: `pkg:npm/${deno.name.replace("@", "%40")}`,
      license: "MIT",
      sha512: fromIntegrity(deno.integrity),
      description: "The JavaScript runtime; its Rust libraries are listed in its own sources",
      needs: ["v8", ...libraries],
    },
    {
      type: "library",
      name: "v8",
      version: v8,
      purl: "pkg:generic/v8",
      license: "BSD-3-Clause",
      description: "The JavaScript engine inside Deno",
    },
    ...linked,
  ];
}

function linkOf({ name }: DebianPart): { license: string; description: string } {
  if (!Object.hasOwn(LINKED, name)) {
    throw new Error(`Nobody has said under which licence ${name} gets into the product`);
  }
  return LINKED[name];
}
