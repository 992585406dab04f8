/**
 * A bill of materials as CycloneDX 1.5 JSON (the schema is bom-1.5.schema.json of cyclonedx.org). Pure: no
 * clock and no random number, so the same product has the same bill.
 * @module
 */
import { sha256 } from "../../build/bytes.ts";
import { type Ingredient, packageUrl } from "./ingredient.ts";

/** The product that the bill describes. */
export interface Product {
  readonly version: string;
  /** Of the processor: `x86_64`. */
  readonly architecture: string;
  readonly commit: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** SHA-256 of the single file. */
  readonly sha256: string;
}

/** Writes the bill, indented, with a newline at the end. */
export function formatBill(product: Product, ingredients: readonly Ingredient[]): string {
  const root = `pkg:generic/tproxy@${product.version}?arch=${product.architecture}`;
  const sorted = [...ingredients].sort((a, b) => packageUrl(a) < packageUrl(b) ? -1 : 1);
  const refs = new Map(sorted.map((ingredient) => [ingredient.name, packageUrl(ingredient)]));
  const inner = new Set(sorted.flatMap(({ needs = [] }) => needs));
  const body = {
    metadata: {
      timestamp: new Date(product.time * 1000).toISOString().replace(".000Z", "Z"),
      component: {
        type: "application",
        "bom-ref": root,
        name: "tproxy",
        version: product.version,
        purl: root,
        licenses: licenses("MIT"),
        hashes: hashes(product),
        properties: [{ name: "tproxy:commit", value: product.commit }],
      },
    },
    components: sorted.map((ingredient) => ({
      type: ingredient.type,
      "bom-ref": packageUrl(ingredient),
      name: ingredient.name,
      version: ingredient.version,
      ...(ingredient.description === undefined ? {} : { description: ingredient.description }),
      ...(hashes(ingredient).length === 0 ? {} : { hashes: hashes(ingredient) }),
      licenses: licenses(ingredient.license),
      purl: packageUrl(ingredient),
    })),
    dependencies: [
      { ref: root, dependsOn: sorted.filter(({ name }) => !inner.has(name)).map(packageUrl) },
      ...sorted.map((ingredient) => ({
        ref: packageUrl(ingredient),
        dependsOn: (ingredient.needs ?? []).map((name) => refOf(name, refs)).sort(),
      })),
    ],
  };
  const bill = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: serialNumber(JSON.stringify(body)),
    version: 1,
    ...body,
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

function refOf(name: string, refs: ReadonlyMap<string, string>): string {
  const ref = refs.get(name);
  if (ref === undefined) {
    throw new Error(`The bill of materials lacks ${name}, which another ingredient needs`);
  }
  return ref;
}

function licenses(expression: string): unknown[] {
  return expression === "public-domain" ? [{ license: { name: expression } }] : [{ expression }];
}

function hashes(of: { readonly sha256?: string; readonly sha512?: string }): unknown[] {
  return [
    ...(of.sha256 === undefined ? [] : [{ alg: "SHA-256", content: of.sha256 }]),
    ...(of.sha512 === undefined ? [] : [{ alg: "SHA-512", content: of.sha512 }]),
  ];
}

/** A UUID of version 8 (RFC 9562: made by a rule of one's own) from the bill's content. */
function serialNumber(content: string): string {
  const hex = sha256(content);
  const variant = (parseInt(hex[16], 16) & 3 | 8).toString(16);
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${
    hex.slice(17, 20)
  }-${hex.slice(20, 32)}`;
}
