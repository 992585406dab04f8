/**
 * `POST /v1/handover`: a successor asks for all that this proxy has. It is told where the rest is said.
 * @module
 */
import { HANDOVER_TARGET, type HandoverAnswer, readWish } from "../../handover/protocol.ts";
import { failure, json, type Route } from "../route.ts";

/** The route. */
export const handoverRoute: Route = {
  method: "POST",
  path: HANDOVER_TARGET,
  answer({ body }, { handover, proxy }) {
    const wish = readWish(new TextDecoder().decode(body));
    const reason = handover.refusalOf(wish);
    if (reason !== undefined) return failure(409, reason);
    const path = `${proxy.generation.loaded.config.control}.handover`;
    handover.begin(path, wish);
    const answer: HandoverAnswer = { version: 1, path };
    return json(answer);
  },
};
