/**
 * `GET /`: a page that shows the proxy live, through `ssh -L`.
 * @module
 */
import { makePage } from "../page/page.ts";
import type { Route } from "../route.ts";

/** The page; undefined: nobody has asked for it yet. */
let page: ReturnType<typeof makePage> | undefined;

/** The route. */
export const pageRoute: Route = {
  method: "GET",
  path: "/",
  browsers: "opened",
  async answer() {
    const { text, policy } = await (page ??= makePage());
    return {
      status: 200,
      type: "text/html; charset=utf-8",
      headers: {
        "content-security-policy": policy,
        // Its own requests name their origin.
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
      },
      body: text,
    };
  },
};
