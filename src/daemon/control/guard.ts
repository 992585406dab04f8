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

/** Returns the reason why a request must not be answered; undefined: it may. */
export function refusalOf(
  { method, headers }: Omit<HttpRequest, "body">,
  hosts: Hosts = TUNNEL,
): string | undefined {
  const host = headers.get("host") ?? "localhost";
  if (!hosts.pattern.test(host)) return `the host must be ${hosts.text}`;
  const origin = headers.get("origin");
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    return "a page of another origin asks";
  }
  const site = headers.get("sec-fetch-site");
  // A link that somebody follows, or an address that he types, asks for a page and changes nothing.
  if (site !== undefined && site !== "same-origin" && site !== "none") return "a page of another site asks";
  // What a form can send is no JSON; what is JSON a browser asks about first, and nobody answers that.
  if (method !== "GET" && !/^application\/json\b/i.test(headers.get("content-type") ?? "")) {
    return "what changes something must be application/json";
  }
  return undefined;
}
