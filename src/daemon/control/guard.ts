/**
 * Requests that a page of somebody else's has a browser send. The socket is root's, but `ssh -L` gives it a
 * port on the administrator's machine, which all pages in his browser can reach. Pure.
 * @module
 */
import type { HttpRequest } from "./http/request.ts";

/** Hosts that may be asked for: any other name leads here by a DNS answer that was made for it. */
export interface Hosts {
  readonly pattern: RegExp;
  readonly text: string;
}

/** Those of the near end of a tunnel. */
export const TUNNEL: Hosts = {
  pattern: /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i,
  text: "localhost, 127.0.0.1 or [::1]",
};
/** Those of a TCP listener: no DNS answer makes an address. */
export const ADDRESSES: Hosts = {
  pattern: /^(localhost|\d+(\.\d+){3}|\[[\da-f:.]+\])(:\d{1,5})?$/i,
  text: "localhost or an address",
};

/** Use of a route by a browser: somebody opens it, the page of ours asks for it, or none at all. */
export type BrowserUse = "opened" | "asked" | "none";

/** Field of what our page asks. Pages of others would have to ask first whether they may send it. */
export const PAGE_FIELD = "x-tproxy-page";

type Headers = ReadonlyMap<string, string>;

/**
 * Returns the reason why a request must not be answered; undefined: it may. `use`: that of its route by
 * browsers; who is no browser may use all.
 */
export function refusalOf(
  { method, headers }: Omit<HttpRequest, "body">,
  hosts: Hosts,
  use: BrowserUse,
): string | undefined {
  const host = headers.get("host") ?? "localhost";
  if (!hosts.pattern.test(host)) return `the host must be ${hosts.text}`;
  const refusal = isBrowser(headers) ? refusalOfBrowser(headers, host, use) : undefined;
  if (refusal !== undefined || method === "GET") return refusal;
  // What a form can send is no JSON; what is JSON a browser asks about first, and nobody answers that.
  if (!/^application\/json\b/i.test(headers.get("content-type") ?? "")) {
    return "what changes something must be application/json";
  }
  if (isBrowser(headers) && !headers.has("origin")) {
    return "a browser names the origin of what changes something";
  }
  return undefined;
}

function refusalOfBrowser(headers: Headers, host: string, use: BrowserUse): string | undefined {
  const origin = headers.get("origin");
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    return "a page of another origin asks";
  }
  const site = headers.get("sec-fetch-site") ?? "same-origin"; // older ones do not say it
  switch (use) {
    case "opened":
      // An address that somebody types, or a bookmark, comes from no site.
      return site === "same-origin" || site === "none" ? undefined : "a page of another site asks";
    case "asked":
      if (site !== "same-origin") return "a page of another site asks";
      return headers.has(PAGE_FIELD) ? undefined : `${PAGE_FIELD} is missing: it is for the page at / alone`;
    case "none":
      return "this is not for browsers";
    default:
      return use satisfies never;
  }
}

function isBrowser(headers: Headers): boolean {
  return headers.has("origin") || headers.has("referer") ||
    headers.keys().some((name) => name.startsWith("sec-fetch-")) ||
    /^Mozilla\//.test(headers.get("user-agent") ?? "");
}
